import pg from 'pg';
import { createTestDatabases } from '../../tests/harness/databases.js';
import { connect, disconnect } from '../shared/database/connect.js';
import { databaseSchema } from './mikro-orm.config.js';
import { readCollationChange } from './name-collation.js';

describe('the collation of names', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'product'>>>;
  let orm: Awaited<ReturnType<typeof connect>>;
  let admin: pg.Client;
  beforeAll(async () => {
    databases = await createTestDatabases(['product']);
    orm = await connect({ name: 'test', url: databases.urls.product, poolMax: 2 }, databaseSchema);
    const url = new URL(process.env.TEST_POSTGRES_URL as string);
    url.pathname = new URL(databases.urls.product).pathname;
    admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await disconnect(orm);
    await databases.drop();
  });

  it('is reported when its version is another one than that of the indexes', async () => {
    expect(await readCollationChange(orm.em.fork())).toBe(0);
    await admin.query(`update pg_collation set collversion = '1' where collname = 'und-x-icu'`);
    expect(await readCollationChange(orm.em.fork())).toBe(1);
    await admin.query('reindex index concurrently product_by_name');
    await admin.query('alter collation "und-x-icu" refresh version');
    expect(await readCollationChange(orm.em.fork())).toBe(0);
  });
});
