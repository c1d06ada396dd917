import { createTestDatabases } from '../../../tests/harness/databases.js';
import { connect } from './connect.js';
import { sql, sqlPrepared } from './sql.js';

describe('a prepared statement', () => {
  it('is prepared once per connection, inside transactions too; others are not', async () => {
    const made = await createTestDatabases(['order']);
    const settings = { name: 'test', url: made.urls.order, poolMax: 1 };
    const orm = await connect(settings, { entities: [], migrations: [] });
    try {
      const kept = 'select $1::int + 1 as next';
      const add = (n: number) => sqlPrepared<{ next: number }>(orm.em.fork(), kept, [n]);
      expect([await add(1), await add(2)]).toEqual([[{ next: 2 }], [{ next: 3 }]]);
      await orm.em.fork().transactional(async (em) => {
        await sqlPrepared(em, 'select $1::int * 2 as twice', [2]);
        await sql(em, 'select $1::int * 3 as thrice', [2]);
      });
      const prepared = await sql<{ statement: string }>(
        orm.em.fork(),
        'select statement from pg_prepared_statements order by prepare_time',
      );
      expect(prepared.map(({ statement }) => statement)).toEqual([
        kept,
        'select $1::int * 2 as twice',
      ]);
    } finally {
      await orm.close();
      await made.drop();
    }
  });
});
