import pg from 'pg';
import { createTestDatabases } from '../../../../tests/harness/databases.js';
import { openHealthConnection } from './health-connection.js';

describe('the health connection', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'user'>>>;
  let observer: pg.Client;
  beforeAll(async () => {
    databases = await createTestDatabases(['user']);
    observer = new pg.Client({ connectionString: databases.urls.user });
    await observer.connect();
  });
  afterAll(async () => {
    await observer.end();
    await databases.drop();
  });

  const processIds = async () => {
    const { rows } = await observer.query(
      `select pid from pg_stat_activity
       where datname = current_database() and application_name = 'user-health'`,
    );
    return rows.map(({ pid }) => pid);
  };

  it('stays open, is shared by simultaneous checks, and is opened again when it was lost', async () => {
    const health = openHealthConnection('user', databases.urls.user);
    await Promise.all([health.check(), health.check(), health.check()]);
    const [first, ...others] = await processIds();
    expect(others).toEqual([]);
    await health.check();
    expect(await processIds()).toEqual([first]);
    await observer.query('select pg_terminate_backend($1)', [first]);
    await health.check();
    const [second] = await processIds();
    expect(second).not.toBe(first);
    await health.close();
  });

  it('fails while the database does not answer', async () => {
    const health = openHealthConnection('user', 'postgres://nobody:none@127.0.0.1:9/none');
    await expect(health.check()).rejects.toThrow('ECONNREFUSED');
    await health.close();
    await expect(health.check()).rejects.toThrow('closed');
  });
});
