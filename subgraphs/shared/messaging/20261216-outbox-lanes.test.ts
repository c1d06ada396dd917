import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { databaseSchema } from '../../warehouse/mikro-orm.config.js';

describe('an outbox from before the lanes, when it is migrated', () => {
  let database: DatabaseBefore;
  beforeAll(async () => {
    database = await openDatabaseBefore('warehouse', databaseSchema, '20261216-outbox-lanes');
  });
  afterAll(() => database.close());

  it('keeps its events, in their order, each in the lane of its topic', async () => {
    const { client } = database;
    await client.query(
      `insert into outbox (id, consumer, topic, key, version, payload, sent_at, dead_at)
       select uuidv7(), consumer, topic, 'k' || n, 1, '{}', sent_at, dead_at
       from (values ('order', 'warehouse.reservation.ended', null::timestamptz, null::timestamptz),
         ('product', 'warehouse.stock.changed', null, null),
         ('product', 'warehouse.stock.changed', null, now()),
         ('product', 'warehouse.stock.changed', now(), null)) as v (consumer, topic, sent_at, dead_at),
         generate_series(1, 2) as n
       order by n`,
    );
    await database.migrate();
    const { rows } = await client.query(
      `select consumer, delivery, count(*)::int as count from outbox where sent_at is null
       group by 1, 2 order by 1`,
    );
    expect(rows).toEqual([
      { consumer: 'order', delivery: 'each', count: 2 },
      { consumer: 'product', delivery: 'latest', count: 4 },
    ]);
    const { rows: positions } = await client.query(
      `select array_agg(key order by position) as keys from outbox where consumer = 'order'`,
    );
    expect(positions).toEqual([{ keys: ['k1', 'k2'] }]);
    const { rows: triggers } = await client.query(
      `select from pg_trigger where tgrelid = 'outbox'::regclass`,
    );
    expect(triggers).toEqual([]);
  });
});
