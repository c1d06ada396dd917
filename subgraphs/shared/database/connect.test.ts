import { byTcp, createTestDatabases } from '../../../tests/harness/databases.js';
import { ended } from '../../../tests/harness/wait.js';
import { databaseSchema } from '../../user/mikro-orm.config.js';
import { connect, disconnect } from './connect.js';
import { migrate } from './run-migrations.js';
import { sql } from './sql.js';

describe('a database', () => {
  it('is disconnected once all statements completed, also those on connections still being opened', async () => {
    const databases = await createTestDatabases(['user']);
    for (let round = 0; round < 5; round++) {
      const orm = await connect(
        { name: 'test', url: databases.urls.user, poolMax: 5 },
        databaseSchema,
      );
      const query = () => sql<{ n: number }>(orm.em.fork(), 'select 1 as n');
      await query();
      const answers = Array.from({ length: 5 }, query);
      await Promise.resolve();
      await ended('disconnect', disconnect(orm));
      expect((await Promise.all(answers)).flat()).toEqual(Array(5).fill({ n: 1 }));
    }
    await databases.drop();
  });

  it('is never connected to without encryption if its address requires TLS', async () => {
    const databases = await createTestDatabases(['user']);
    // The server of the tests has no TLS, nor has a Unix socket.
    const url = byTcp(databases.urls.user);
    url.searchParams.set('sslmode', 'verify-full');
    const settings = { name: 'user', url: url.href, poolMax: 1 };
    await expect(migrate(settings, databaseSchema)).rejects.toThrow('does not support SSL');
    const orm = await connect(settings, databaseSchema);
    await expect(sql(orm.em.fork(), 'select 1')).rejects.toThrow('does not support SSL');
    await disconnect(orm);
    await databases.drop();
  });
});
