import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { newId } from '../../shared/ids.js';
import { databaseSchema } from '../mikro-orm.config.js';

const initial = { ...databaseSchema, migrations: databaseSchema.migrations?.slice(0, 2) ?? [] };

describe('a database of users with addresses that is migrated', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'user'>>>;
  let client: pg.Client;
  const [without, withDefault] = [newId(), newId()];
  beforeAll(async () => {
    databases = await createTestDatabases(['user']);
    client = new pg.Client({ connectionString: databases.urls.user });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    const settings = { name: 'user', url: databases.urls.user, poolMax: 1 };
    await migrate(settings, initial);
    for (const userId of [without, withDefault]) {
      await client.query(`insert into user_account (id, name) values ($1, 'Somebody')`, [userId]);
      await client.query(
        `insert into address (id, user_id, street, is_default, updated_at)
         select gen_random_uuid(), $1, street, street = 'old' and $2, now() - days * interval '1 day'
         from unnest(array['old', 'new', 'older'], array[2, 1, 3]) as a (street, days)`,
        [userId, userId === withDefault],
      );
    }
    await migrate(settings, databaseSchema);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  const defaultsOf = async (userId: string) =>
    (
      await client.query('select street from address where user_id = $1 and is_default', [userId])
    ).rows.map(({ street }) => street);

  it('makes the address that was changed last the default of a user without one', async () => {
    expect(await defaultsOf(without)).toEqual(['new']);
  });

  it('leaves a default address as it is', async () => {
    expect(await defaultsOf(withDefault)).toEqual(['old']);
  });
});
