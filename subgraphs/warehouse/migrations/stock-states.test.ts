import pg from 'pg';
import { createTestDatabases } from '../../../tests/harness/databases.js';
import { expectStockInvariantsOf, logger } from '../../../tests/harness/stock-engine.js';
import { connect, disconnect } from '../../shared/database/connect.js';
import { migrate } from '../../shared/database/run-migrations.js';
import { newId, newIdAt } from '../../shared/ids.js';
import { onUnitsShipped } from '../fulfilment/on-units-shipped.js';
import { databaseSchema } from '../mikro-orm.config.js';

const initial = { ...databaseSchema, migrations: databaseSchema.migrations?.slice(0, 1) ?? [] };

/** The deltas on hand and reserved of a movement of the first version. */
const kinds = {
  RECEIPT: (units: number) => [units, 0],
  ADJUSTMENT: (units: number) => [units, 0],
  RESERVATION: (units: number) => [0, units],
  RELEASE: (units: number) => [0, -units],
  SALE: (units: number) => [-units, -units],
  RETURN: (units: number) => [units, 0],
} as const;
type OldType = keyof typeof kinds;

describe('a database of the first version, with stock and orders, that is migrated', () => {
  let databases: Awaited<ReturnType<typeof createTestDatabases<'warehouse'>>>;
  let client: pg.Client;
  // Made before their movements, which are up to a day old.
  const orderId = () => newIdAt(Date.now() - 2 * 24 * 3_600_000);
  const [shopId, otherShopId] = [newId(), newId()];
  const [level, otherLevel] = [newId(), newId()];
  const orders = {
    sold: orderId(),
    returned: orderId(),
    partlyReturned: orderId(),
    held: orderId(),
    released: orderId(),
    expired: orderId(),
  };

  beforeAll(async () => {
    databases = await createTestDatabases(['warehouse']);
    client = new pg.Client({ connectionString: databases.urls.warehouse });
    await client.connect();
    await client.query('drop schema public cascade; create schema public');
    const settings = { name: 'warehouse', url: databases.urls.warehouse, poolMax: 1 };
    await migrate(settings, initial);
    await insertLevel(level, shopId);
    await insertLevel(otherLevel, otherShopId);
    await move(level, 'RECEIPT', 20, 'delivery 1');
    await move(otherLevel, 'RECEIPT', 5, 'delivery 2');
    await insertOrder(orders.sold, 'COMMITTED', [[level, 3]]);
    await insertOrder(orders.returned, 'COMMITTED', [[level, 2]], [level]);
    const lines: [string, number][] = [
      [level, 1],
      [otherLevel, 4],
    ];
    await insertOrder(orders.partlyReturned, 'COMMITTED', lines, [otherLevel]);
    await insertOrder(orders.held, 'HELD', [[level, 4]]);
    await insertOrder(orders.released, 'RELEASED', [[level, 1]]);
    await insertOrder(orders.expired, 'EXPIRED', [[level, 2]]);
    await move(level, 'ADJUSTMENT', -1, null);
    await migrate(settings, databaseSchema);
  });
  afterAll(async () => {
    await client.end();
    await databases.drop();
  });

  async function insertLevel(id: string, ofShop: string) {
    const warehouseId = newId();
    await client.query(`insert into warehouse (id, shop_id, name) values ($1, $2, 'Main')`, [
      warehouseId,
      ofShop,
    ]);
    await client.query(`insert into stock_item (shop_id, sku) values ($1, 'MUG')`, [ofShop]);
    await client.query(
      `insert into stock_level (id, warehouse_id, shop_id, sku) values ($1, $2, $3, 'MUG')`,
      [id, warehouseId, ofShop],
    );
  }

  let moves = 0;
  /** Inserts a movement and changes its level and item, as the first version did. */
  async function move(levelId: string, type: OldType, units: number, reference: string | null) {
    moves += 1;
    const [onHand = 0, reserved = 0] = kinds[type](units);
    await client.query(
      `insert into stock_movement (id, level_id, type, on_hand_delta, reserved_delta, reference,
         actor, created_at)
       values ($1, $2, $3, $4, $5, $6, 'test', now() - interval '1 day' + $7 * interval '1 minute')`,
      [newId(), levelId, type, onHand, reserved, reference, moves],
    );
    await client.query(
      `with changed as (update stock_level set on_hand = on_hand + $2, reserved = reserved + $3
         where id = $1 returning shop_id, sku)
       update stock_item i set available = available + $2 - $3, version = version + 1
       from changed c where i.shop_id = c.shop_id and i.sku = c.sku`,
      [levelId, onHand, reserved],
    );
  }

  /** @param returnedTo the levels of lines whose sale was cancelled */
  async function insertOrder(
    id: string,
    state: 'HELD' | 'COMMITTED' | 'RELEASED' | 'EXPIRED',
    lines: [levelId: string, quantity: number][],
    returnedTo: string[] = [],
  ) {
    await client.query(
      `insert into reservation (order_id, state, expires_at, payment_id)
       values ($1, $2, now() + interval '1 hour', $3)`,
      [id, state, state === 'COMMITTED' ? newId() : null],
    );
    for (const [levelId, quantity] of lines) {
      await client.query(
        'insert into reservation_line (order_id, level_id, quantity) values ($1, $2, $3)',
        [id, levelId, quantity],
      );
      await move(levelId, 'RESERVATION', quantity, id);
      if (state === 'COMMITTED') await move(levelId, 'SALE', quantity, id);
      if (returnedTo.includes(levelId)) await move(levelId, 'RETURN', quantity, id);
      if (state === 'RELEASED' || state === 'EXPIRED') await move(levelId, 'RELEASE', quantity, id);
    }
  }

  /** `TYPE onHand reserved committed` of each movement of a level for an order, oldest first. */
  const movementsOf = async (orderId: string, levelId: string) => {
    const { rows } = await client.query<{ move: string }>(
      `select concat_ws(' ', type, on_hand_delta, reserved_delta, committed_delta) as move
       from stock_movement where reference = $1 and level_id = $2 order by created_at`,
      [orderId, levelId],
    );
    return rows.map(({ move }) => move);
  };

  it('holds all invariants of stock', () => expectStockInvariantsOf(client));

  it('has the units that were sold on hand, committed, and the same available units', async () => {
    const { rows } = await client.query(
      `select l.id, on_hand, reserved, committed, available, is_low_stock, counted_at,
         array[unavailable, buffer, shortfall] as others
       from stock_level l join stock_item i on i.shop_id = l.shop_id and i.sku = l.sku
       order by on_hand desc`,
    );
    const none = { counted_at: null, others: [0, 0, 0] };
    const units = { on_hand: 19, reserved: 4, committed: 4, available: 11 };
    const others = { on_hand: 5, reserved: 0, committed: 0, available: 5 };
    expect(rows).toEqual([
      { id: level, ...units, is_low_stock: false, ...none },
      { id: otherLevel, ...others, is_low_stock: true, ...none },
    ]);
  });

  it('has a commitment for each sale', async () => {
    const { sold, partlyReturned } = orders;
    expect(await movementsOf(sold, level)).toEqual(['RESERVATION 0 3 0', 'COMMIT 0 -3 3']);
    expect(await movementsOf(partlyReturned, level)).toEqual([
      'RESERVATION 0 1 0',
      'COMMIT 0 -1 1',
    ]);
  });

  it('has the end of the commitment for each sale that was returned', async () => {
    const { returned, partlyReturned } = orders;
    expect(await movementsOf(returned, level)).toEqual([
      'RESERVATION 0 2 0',
      'COMMIT 0 -2 2',
      'UNCOMMIT 0 0 -2',
    ]);
    expect(await movementsOf(partlyReturned, otherLevel)).toEqual([
      'RESERVATION 0 4 0',
      'COMMIT 0 -4 4',
      'UNCOMMIT 0 0 -4',
    ]);
  });

  it('has the other movements as they were, each at the time when it was recorded', async () => {
    const { held, released, expired } = orders;
    expect(await movementsOf(held, level)).toEqual(['RESERVATION 0 4 0']);
    expect(await movementsOf(released, level)).toEqual(['RESERVATION 0 1 0', 'RELEASE 0 -1 0']);
    expect(await movementsOf(expired, level)).toEqual(['RESERVATION 0 2 0', 'RELEASE 0 -2 0']);
    const { rows } = await client.query(
      `select count(*)::int as moves, count(*) filter (where occurred_at = created_at)::int as same,
         count(distinct created_at)::int as times from stock_movement`,
    );
    expect(rows).toEqual([{ moves, same: moves, times: moves }]);
  });

  it('counts the returned units as cancelled, and no unit as shipped', async () => {
    const { rows } = await client.query(
      `select order_id, level_id, quantity, cancelled, sum(shipped) over ()::int as all_shipped
       from reservation_line where cancelled > 0 order by quantity`,
    );
    const { returned, partlyReturned } = orders;
    const line = { all_shipped: 0 };
    expect(rows).toEqual([
      { ...line, order_id: returned, level_id: level, quantity: 2, cancelled: 2 },
      { ...line, order_id: partlyReturned, level_id: otherLevel, quantity: 4, cancelled: 4 },
    ]);
  });

  it('still has a history that cannot be changed, and refuses more units reserved than there are', async () => {
    for (const statement of [
      `update stock_movement set actor = 'x'`,
      'delete from stock_movement',
    ]) {
      await expect(client.query(statement)).rejects.toThrow('append-only');
    }
    await expect(client.query('update stock_level set reserved = 100')).rejects.toThrow(
      'stock_level_shortfall',
    );
    const sale = `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta,
        reserved_delta, on_hand, reserved, committed, unavailable, actor)
      select shop_id, id, uuidv7(), last_seq + 1, 'SALE', -1, -1, 0, 0, 0, 0, 'test'
      from stock_level where id = $1`;
    await expect(client.query(sale, [level])).rejects.toThrow('stock_movement_type');
  });

  it('has the balances after each movement, whose ids sort as its place in the level', async () => {
    const { rows } = await client.query(
      `select count(*) filter (where seq is distinct from place)::int as misplaced,
         count(*) filter (where created_at < time_before)::int as back,
         count(*) filter (where (m.on_hand, m.reserved, m.committed, m.unavailable) is distinct from
           (on_hand_sum, reserved_sum, committed_sum, unavailable_sum))::int as unequal,
         count(*) filter (where uuid_extract_timestamp(id) <> created_at)::int as "otherTime"
       from (select *, row_number() over past as place, lag(created_at) over past as time_before,
           sum(on_hand_delta) over past as on_hand_sum, sum(reserved_delta) over past as reserved_sum,
           sum(committed_delta) over past as committed_sum,
           sum(unavailable_delta) over past as unavailable_sum
         from stock_movement window past as (partition by level_id order by id)) m`,
    );
    expect(rows).toEqual([{ misplaced: 0, back: 0, unequal: 0, otherTime: 0 }]);
    const last = await client.query(
      `select from stock_level l where last_seq is distinct from (
         select count(*) from stock_movement where level_id = l.id)`,
    );
    expect(last.rowCount).toBe(0);
  });

  it('takes the shipment of an order that was paid before, once it is announced', async () => {
    const orm = await connect(
      { name: 'test', url: databases.urls.warehouse, poolMax: 1 },
      databaseSchema,
    );
    const [shipmentId, shopOrderId] = [newId(), newId()];
    const shipment = {
      shipmentId,
      shopOrderId,
      orderId: orders.sold,
      shopId,
      shippedAt: new Date().toISOString(),
      lines: [{ sku: 'MUG', quantity: 3 }],
    };
    await orm.em.fork().transactional(async (em) => {
      await onUnitsShipped(em, {} as never, shipment, { app: {}, logger } as never);
    });
    await disconnect(orm);
    const { rows } = await client.query(
      'select on_hand, reserved, committed, shortfall from stock_level where id = $1',
      [level],
    );
    expect(rows).toEqual([{ on_hand: 16, reserved: 4, committed: 1, shortfall: 0 }]);
    await expectStockInvariantsOf(client);
  });
});
