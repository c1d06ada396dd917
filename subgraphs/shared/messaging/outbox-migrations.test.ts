import { type DatabaseBefore, openDatabaseBefore } from '../../../tests/harness/database-before.js';
import { databaseSchema } from '../../warehouse/mikro-orm.config.js';

describe('an outbox from before the lanes, when it is migrated', () => {
  let database: DatabaseBefore;
  beforeEach(async () => {
    database = await openDatabaseBefore('warehouse', databaseSchema, '20261216-outbox-lanes');
  });
  afterEach(() => database.close());

  /** Key, verb and version of the events for a consumer, in the order of their positions. */
  const eventsFor = async (consumer: string) => {
    const { rows } = await database.client.query(
      `select concat_ws(' ', key, split_part(topic, '.', 3), version) as event from outbox
       where consumer = $1 order by position`,
      [consumer],
    );
    return (rows as { event: string }[]).map(({ event }) => event);
  };

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
    expect(await eventsFor('order')).toEqual(['k1 ended 1', 'k2 ended 1']);
    const { rows: triggers } = await client.query(
      `select from pg_trigger where tgrelid = 'outbox'::regclass`,
    );
    expect(triggers).toEqual([]);
  });

  it('orders the events of a key by version and age, wherever they lie in the table', async () => {
    const { client } = database;
    const insert = (consumer: string, topic: string, key: string, version: number, age: number) =>
      client.query(
        `insert into outbox (id, consumer, topic, key, version, payload, created_at)
         values (uuidv7(), $1, $2, $3, $4, '{}', now() - $5 * interval '1 s')`,
        [consumer, topic, key, version, age],
      );
    const stock = (key: string, version: number, age: number) =>
      insert('product', 'warehouse.stock.changed', key, version, age);
    await stock('a', 3, 30);
    await stock('b', 1, 100);
    await stock('a', 1, 50);
    // Its transaction began before that of the version before it.
    await stock('a', 2, 60);
    await insert('warehouse', 'order.units.shipped', 'c', 1, 10);
    await insert('warehouse', 'order.units.cancelled', 'c', 1, 20);
    await database.migrate();
    // Later events come after all of them.
    await client.query(
      `insert into outbox (id, consumer, delivery, topic, key, version, payload)
       values (uuidv7(), 'product', 'latest', 'warehouse.stock.changed', 'a', 4, '{}')`,
    );
    expect((await eventsFor('product')).filter((event) => event.startsWith('a'))).toEqual(
      [1, 2, 3, 4].map((version) => `a changed ${version}`),
    );
    expect(await eventsFor('warehouse')).toEqual(['c cancelled 1', 'c shipped 1']);
  });
});
