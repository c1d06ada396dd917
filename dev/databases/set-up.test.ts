import pg from 'pg';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { StartError } from './server-process.js';
import { migrateDatabases } from './set-up.js';

describe('databases with tables that are too old to be upgraded', () => {
  let databases: Awaited<ReturnType<typeof createAllTestDatabases>>;
  beforeAll(async () => {
    databases = await createAllTestDatabases();
    const client = new pg.Client({ connectionString: databases.urls.order });
    await client.connect();
    await client.query(`update mikro_orm_migrations set name = '20261121-spine'`);
    await client.end();
  });
  afterAll(() => databases.drop());

  it.each([
    ['of the server that npm start runs', false, 'npm start -- --fresh'],
    ['of an external server', true, `psql "$DATABASE_URL" -c 'drop database `],
  ])('%s stop npm start with the command to start over', async (_, isExternal, command) => {
    const stopped = migrateDatabases(databases.urls, isExternal);
    await expect(stopped).rejects.toThrow(StartError);
    await expect(stopped).rejects.toThrow(/_order was created before the first release/);
    await expect(stopped).rejects.toThrow(`To start over without the data:\n  ${command}`);
  });
});
