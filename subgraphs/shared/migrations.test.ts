import { Migration } from '@mikro-orm/migrations';
import pg from 'pg';
import { createTestDatabases } from '../../tests/harness/databases.js';
import { databaseSchema } from '../user/mikro-orm.config.js';
import { migrate, type Schema } from './database.js';

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

describe('migrations of a database that is in use', () => {
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
  const run = () => migrate({ name: 'user', url: databases.urls.user, poolMax: 1 }, schema);

  it('may build an index concurrently, which no transaction can', async () => {
    await run();
    const { rows } = await client.query(
      `select indisvalid from pg_index where indexrelid = 'user_account_later'::regclass`,
    );
    expect(rows).toEqual([{ indisvalid: true }]);
  });

  it('give up a lock that others keep, rather than have all wait behind them; the next run does it', async () => {
    await client.query('begin');
    await client.query('select from user_account');
    await expect(run()).rejects.toThrow('lock timeout');
    await client.query('rollback');
    await run();
  });
});
