import { openTestDatabase } from '../../../tests/harness/databases.js';
import { databaseSchema } from '../../order/mikro-orm.config.js';
import { withDedicatedConnection } from './dedicated-connection.js';
import { sql } from './sql.js';
import { transact } from './transact.js';

describe('a transaction in which a statement failed', () => {
  it('fails at its COMMIT, though its work ignored the failure: nothing was committed', async () => {
    const { url, orm, client, close } = await openTestDatabase('order', databaseSchema);
    try {
      await client.query('create table note (text text primary key)');
      const done = transact(orm.em.fork(), async (tx) => {
        await sql(tx, `insert into note values ('kept?')`);
        await sql(tx, 'select 1 / 0').catch(() => {});
        return 'done';
      });
      await expect(done).rejects.toThrow('nothing was committed');
      const settings = { name: 'test', url, transactionMaxMs: 30_000 };
      const ofOwnConnection = withDedicatedConnection(settings, async (own) => {
        await own.query('begin');
        await own.query('select 1 / 0').catch(() => {});
        await own.query({ text: 'commit' });
      });
      await expect(ofOwnConnection).rejects.toThrow('nothing was committed');
      expect((await client.query('select text from note')).rows).toEqual([]);
      expect(await transact(orm.em.fork(), () => sql(orm.em.fork(), 'select 2 as n'))).toEqual([
        { n: 2 },
      ]);
    } finally {
      await close();
    }
  });
});
