import { Migration } from '@mikro-orm/migrations';
import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../user/mikro-orm.config.js';
import type { Schema } from './connect.js';
import { type LockRetry, migrate, namesOf } from './run-migrations.js';

class AddColumn extends Migration {
  override up(): void {
    this.addSql('alter table user_account add later text');
  }
}

class AddIndex extends Migration {
  override isTransactional = () => false;
  override up(): void {
    this.addSql('create index concurrently user_account_later on user_account (later)');
  }
}

describe('migrations of a database in use', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'user'>>>;
  let client: pg.Client;
  beforeEach(async () => {
    databases = await createTestDatabases(['user']);
    client = new pg.Client({ connectionString: databases.urls.user });
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await databases.drop();
  });

  const schema: Schema = {
    ...databaseSchema,
    migrations: [
      ...(databaseSchema.migrations ?? []),
      { name: '29990101-column', class: AddColumn },
      { name: '29990102-index', class: AddIndex },
    ],
  };
  const run = (retry?: LockRetry) =>
    migrate({ name: 'user', url: databases.urls.user, poolMax: 1 }, schema, retry);

  it('can build an index concurrently, outside of a transaction', async () => {
    await run();
    const { rows } = await client.query(
      `select indisvalid from pg_index where indexrelid = 'user_account_later'::regclass`,
    );
    expect(rows).toEqual([{ indisvalid: true }]);
  });

  it('are refused if the name of one sorts before an earlier one', () => {
    const early = { name: '00000101-early', class: AddColumn };
    const migrations = [...(schema.migrations ?? []), early];
    expect(() => namesOf({ ...schema, migrations })).toThrow('00000101-early');
  });

  it('give up waiting for a lock rather than block others; the next run completes them', async () => {
    await client.query('begin');
    await client.query('select from user_account');
    await expect(run()).rejects.toThrow('lock timeout');
    await client.query('rollback');
    await run();
  });

  it('retry the lock as often as configured', async () => {
    await client.query('begin');
    await client.query('select from user_account');
    const refused: string[] = [];
    const onRefused = ({ message }: Error) => {
      refused.push(message);
      void client.query('rollback');
    };
    await run({ tries: 2, pauses: { initialDelay: 10, maxDelay: 10 }, onRefused });
    expect(refused).toEqual([expect.stringContaining('lock timeout')]);
  });

  it('wait without limit to build an index, which blocks nobody', async () => {
    const one = { ...schema, migrations: schema.migrations?.slice(0, -1) } as Schema;
    await migrate({ name: 'user', url: databases.urls.user, poolMax: 1 }, one);
    await client.query('begin');
    await client.query('lock table user_account in row exclusive mode');
    const running = run();
    const beside = new pg.Client({ connectionString: databases.urls.user });
    await beside.connect();
    const { rows } = await beside.query('select pg_sleep(2.5), count(*)::int from user_account');
    expect(rows[0].count).toBe(0);
    await client.query('rollback');
    await beside.end();
    await running;
  });
});
