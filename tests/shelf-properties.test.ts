import fc from 'fast-check';
import { shopCancelReasons } from '../subgraphs/contracts/cancel-reasons.js';
import { newId } from '../subgraphs/shared/ids.js';
import type { OutboxEvent } from '../subgraphs/shared/messaging/inbox.js';
import { createInboxResolver } from '../subgraphs/shared/messaging/inbox.js';
import { setWarehouseActive } from '../subgraphs/warehouse/activation/set-warehouse-active.js';
import { StaleCount, submitStockCount } from '../subgraphs/warehouse/count/submit-stock-count.js';
import { expireReservations } from '../subgraphs/warehouse/expiry/expire-reservations.js';
import { onUnitsCancelled } from '../subgraphs/warehouse/fulfilment/on-units-cancelled.js';
import { onUnitsShipped } from '../subgraphs/warehouse/fulfilment/on-units-shipped.js';
import {
  commitReservation,
  reserveStock,
  type StockEngine,
} from '../subgraphs/warehouse/reservation/engine.js';
import { reassignShopOrder } from '../subgraphs/warehouse/shortfall/reassign-shop-order.js';
import { markUnavailable } from '../subgraphs/warehouse/stock/mark-unavailable.js';
import { receiveStock } from '../subgraphs/warehouse/stock/receive-stock.js';
import { setStockBuffer } from '../subgraphs/warehouse/stock/set-stock-buffer.js';
import type { StockContext } from '../subgraphs/warehouse/stock/stock-store.js';
import { receiveTransfer } from '../subgraphs/warehouse/transfer/receive-transfer.js';
import { StockTransfer } from '../subgraphs/warehouse/transfer/stock-transfer.js';
import { dispatchTransfer } from '../subgraphs/warehouse/transfer/transfer-stock.js';
import type { Warehouse } from '../subgraphs/warehouse/warehouse/warehouse.js';
import { openStockCount } from './harness/stock-counts.js';
import { logger, openStock, stockUp, type TestStock } from './harness/stock-engine.js';

const sequences = process.env.LONG ? 1000 : 60;
const actor = 'test';

const w = fc.nat(1);
const units = fc.integer({ min: 1, max: 5 });
const n = fc.nat(7);
const op = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('receive' as const), w, units }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('buy' as const), units }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('pay' as const), n }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), n }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('ship' as const), n }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('shipUnrecorded' as const), n }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('recordShipment' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('cancel' as const),
      n,
      reason: fc.constantFrom(
        ...shopCancelReasons,
        'OUT_OF_STOCK' as const,
        'OUT_OF_STOCK' as const,
      ),
    }),
  },
  // Units that are lost, or found if fewer than 0, are noticed by the count.
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('count' as const),
      w,
      lost: fc.integer({ min: -2, max: 6 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('takeCount' as const),
      w,
      lost: fc.integer({ min: -2, max: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('submitCount' as const), w }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('damage' as const),
      w,
      delta: fc.integer({ min: -2, max: 3 }).filter((delta) => delta !== 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('buffer' as const), w, units: fc.nat(3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('transfer' as const),
      from: w,
      units,
      arrive: fc.nat(5),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reassign' as const), n, w }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('activate' as const), w, active: fc.boolean() }),
  },
);
type Op = Parameters<Parameters<typeof op.map>[0]>[0];

const Inbox = createInboxResolver<StockContext>('test', {
  'order.units.shipped': onUnitsShipped,
  'order.units.cancelled': onUnitsCancelled,
});

interface Level {
  readonly onHand: number;
  readonly reserved: number;
  readonly committed: number;
  readonly unavailable: number;
  readonly buffer: number;
  readonly shortfall: number;
}
/** A parcel that left, and is not recorded. */
interface Parcel {
  readonly orderId: string;
  readonly leftAt: Date;
  readonly from: readonly number[];
  /** the warehouses that were counted since */
  readonly countedIn: Set<number>;
}

describe('the units on hand of a shop, against a notebook of what is physically in its warehouses', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterAll(() => stock.close());

  it(`are those of the notebook, and nothing is available that is not there (${sequences} sequences)`, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    process.stdout.write(`shelf properties: SEED=${seed}\n`);
    const steps = fc.array(op, { minLength: 25, maxLength: 45 });
    const property = fc.asyncProperty(steps, runSequence);
    await fc.assert(property, { seed, numRuns: sequences, endOnFailure: !process.env.LONG });
    await stock.expectStockInvariants();
  }, 900_000);

  async function runSequence(steps: Op[]): Promise<void> {
    const world = await openShelves(stock, engine);
    for (const each of steps) {
      await world.run(each);
      await world.expectTrue(each);
    }
  }
});

/** A shop with two warehouses and one variant; the notebook is kept beside it. */
async function openShelves(stock: TestStock, engine: StockEngine) {
  const { shopId, sku, warehouses } = await stockUp(engine, [8, 8]);
  const warehouse = (of: number) => warehouses[of] as Warehouse;
  /** the notebook: units in the building, by warehouse */
  const physical = [8, 8];
  /** units that were lost and not counted since, by warehouse; below 0: found */
  const unnoticed = [0, 0];
  /** the notebook: units of each order that is open, by what its answers said */
  const [held, paid] = [new Map<string, number>(), new Map<string, number>()];
  const parcels: Parcel[] = [];
  const taken: Array<{ countId: string; counted: number; at: Date } | null> = [null, null];
  const pick = (of: Map<string, number>, n: number) => [...of.keys()][n % Math.max(1, of.size)];

  async function levels(): Promise<Level[]> {
    const rows = await stock.query<Level & { warehouseId: string }>(
      `select warehouse_id as "warehouseId", on_hand as "onHand", reserved, committed, unavailable,
         buffer, shortfall from stock_level where shop_id = $1`,
      [shopId],
    );
    return warehouses.map(({ id }) => rows.find((row) => row.warehouseId === id) as Level);
  }
  /** The committed units of an order in each warehouse; null unless it is paid and not shipped. */
  async function openUnits(orderId: string): Promise<number[] | null> {
    if (parcels.some((parcel) => parcel.orderId === orderId)) return null;
    const rows = await stock.query<{ warehouseId: string; open: number }>(
      `select l.warehouse_id as "warehouseId", rl.quantity - rl.shipped - rl.cancelled as open
       from reservation_line rl join reservation r on r.order_id = rl.order_id
         join stock_level l on l.id = rl.level_id
       where rl.order_id = $1 and r.state = 'COMMITTED'`,
      [orderId],
    );
    const open = warehouses.map(({ id }) => rows.find((row) => row.warehouseId === id)?.open ?? 0);
    return open.some((each) => each > 0) ? open : null;
  }
  const availableUnits = async () => {
    const query = 'select available from stock_item where shop_id = $1';
    const [item] = await stock.query<{ available: number }>(query, [shopId]);
    return item?.available as number;
  };
  /** Whether each level has the units of an order beside those that it has to ship. */
  async function areReservedUnitsThere(orderId: string): Promise<boolean> {
    const all = await levels();
    const rows = await stock.query<{ warehouseId: string; quantity: number }>(
      `select l.warehouse_id as "warehouseId", rl.quantity
       from reservation_line rl join stock_level l on l.id = rl.level_id where rl.order_id = $1`,
      [orderId],
    );
    return rows.every(({ warehouseId, quantity }) => {
      const { onHand, unavailable, committed } = all[
        warehouses.findIndex(({ id }) => id === warehouseId)
      ] as Level;
      return quantity <= onHand - unavailable - committed;
    });
  }
  const now = async () => {
    const [row] = await stock.query<{ now: Date }>('select clock_timestamp() as now');
    return row?.now as Date;
  };
  const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

  async function deliver(
    topic: OutboxEvent['topic'],
    orderId: string,
    quantity: number,
    rest: object,
  ) {
    const id = newId();
    const shopOrderId = newId();
    const ids = { shipmentId: id, cancellationId: id, shopOrderId, orderId, shopId };
    const payload = JSON.stringify({ ...ids, lines: [{ sku, quantity }], ...rest });
    const context = { em: engine.orm.em.fork(), app: engine, logger, caller: 'order' };
    const event = { id, topic, key: shopOrderId, version: 1, payload };
    const accepted = await new Inbox().deliver([event], context as unknown as StockContext);
    expect(accepted).toEqual([id]);
  }

  /** The shop packs an order and hands it over, if all of it is there. */
  async function handOver(orderId: string | undefined): Promise<number[] | null> {
    const open = orderId === undefined ? null : await openUnits(orderId);
    if (!open?.every((each, of) => each <= (physical[of] as number))) return null;
    for (const [of, each] of open.entries()) physical[of] = (physical[of] as number) - each;
    return open;
  }

  /** A shipment beyond the units of a level adds the difference, which was found and not counted. */
  async function record(
    orderId: string,
    from: readonly number[],
    leftAt: Date,
    counted: Set<number>,
  ) {
    const before = await levels();
    await deliver('order.units.shipped', orderId, sum(from), {
      shippedAt: leftAt.toISOString(),
    });
    paid.delete(orderId);
    for (const [of, each] of from.entries()) {
      const { onHand, unavailable } = before[of] as Level;
      const beyond = Math.max(0, each - (onHand - unavailable));
      if (!counted.has(of)) unnoticed[of] = (unnoticed[of] as number) + beyond;
    }
  }

  async function countNow(of: number, counted: number, countId: string, countedAt: Date) {
    const line = { sku, quantity: counted, countedAt };
    const submission = { countId, warehouse: warehouse(of), lines: [line], actor };
    return submitStockCount(engine, submission);
  }
  const openCount = (of: number) => openStockCount(stock, warehouse(of).id, [sku]);
  const lose = (of: number, lost: number) => {
    const gone = Math.min(lost, physical[of] as number);
    physical[of] = (physical[of] as number) - gone;
    unnoticed[of] = (unnoticed[of] as number) + gone;
  };
  /** What a count at this time shows: losses, and parcels that left. */
  const noticed = (of: number, at: Date) => {
    unnoticed[of] = 0;
    for (const parcel of parcels) if (parcel.leftAt < at) parcel.countedIn.add(of);
  };

  async function run(each: Op): Promise<void> {
    switch (each.kind) {
      case 'receive': {
        physical[each.w] = (physical[each.w] as number) + each.units;
        const receipt = { warehouse: warehouse(each.w), sku, quantity: each.units, actor };
        await receiveStock(engine, { ...receipt, reference: null });
        return;
      }
      case 'buy': {
        const orderId = newId();
        const lines = [{ shopId, sku, quantity: each.units }];
        const isThere = (await availableUnits()) >= each.units;
        const { state } = await reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
        expect(state).toBe(isThere ? 'HELD' : 'SHORT');
        if (!isThere) return;
        held.set(orderId, each.units);
        return;
      }
      case 'pay': {
        const orderId = pick(held, each.n);
        const units = held.get(orderId ?? '');
        if (!orderId || units === undefined) return;
        const isThere = await areReservedUnitsThere(orderId);
        const { state } = await commitReservation(engine, { orderId, paymentId: newId() });
        expect(state).toBe(isThere ? 'COMMITTED' : 'RELEASED');
        held.delete(orderId);
        if (isThere) paid.set(orderId, units);
        return;
      }
      case 'expire': {
        const orderId = pick(held, each.n);
        if (!orderId) return;
        const due = `update reservation set expires_at = now() where order_id = $1`;
        await stock.query(due, [orderId]);
        expect(await expireReservations(engine, [orderId])).toEqual(
          held.delete(orderId) ? [orderId] : [],
        );
        return;
      }
      case 'ship': {
        const orderId = pick(paid, each.n);
        const from = await handOver(orderId);
        if (orderId && from) await record(orderId, from, await now(), new Set());
        return;
      }
      case 'shipUnrecorded': {
        const orderId = pick(paid, each.n);
        const from = await handOver(orderId);
        if (!orderId || !from) return;
        parcels.push({ orderId, from, leftAt: await now(), countedIn: new Set() });
        return;
      }
      case 'recordShipment': {
        const parcel = parcels.shift();
        if (!parcel) return;
        await record(parcel.orderId, parcel.from, parcel.leftAt, parcel.countedIn);
        return;
      }
      case 'cancel': {
        const orderId = pick(paid, each.n);
        const open = orderId === undefined ? null : await openUnits(orderId);
        if (!orderId || !open) return;
        const before = await levels();
        // What no count has shown is missing from now on.
        const missing = open.map((cancelled, of) =>
          each.reason === 'OUT_OF_STOCK'
            ? Math.max(0, cancelled - (before[of] as Level).shortfall)
            : 0,
        );
        if (missing.some((gone, of) => gone > (physical[of] as number))) return;
        await deliver('order.units.cancelled', orderId, sum(open), { reason: each.reason });
        paid.delete(orderId);
        for (const [of, gone] of missing.entries()) physical[of] = (physical[of] as number) - gone;
        return;
      }
      case 'count': {
        const countId = await openCount(each.w);
        lose(each.w, each.lost);
        const at = await now();
        const result = await countNow(each.w, physical[each.w] as number, countId, at);
        expect(result).toMatchObject({ status: 'SUBMITTED' });
        noticed(each.w, at);
        return;
      }
      case 'takeCount': {
        if (taken[each.w]) return;
        const countId = await openCount(each.w);
        lose(each.w, each.lost);
        taken[each.w] = { countId, counted: physical[each.w] as number, at: await now() };
        return;
      }
      case 'submitCount': {
        const count = taken[each.w];
        if (!count) return;
        taken[each.w] = null;
        const result = await countNow(each.w, count.counted, count.countId, count.at);
        // Otherwise a newer count has shown it.
        if (!(result instanceof StaleCount)) noticed(each.w, count.at);
        return;
      }
      case 'damage': {
        const about = { warehouse: warehouse(each.w), sku, reason: 'damaged', actor };
        await markUnavailable(engine, { ...about, delta: each.delta });
        return;
      }
      case 'buffer':
        await setStockBuffer(engine, { warehouse: warehouse(each.w), sku, buffer: each.units });
        return;
      case 'transfer':
        return transfer(each);
      case 'reassign': {
        const orderId = pick(paid, each.n);
        if (!orderId || parcels.some((parcel) => parcel.orderId === orderId)) return;
        await reassignShopOrder(engine, { orderId, to: warehouse(each.w), actor });
        return;
      }
      case 'activate':
        await setWarehouseActive(engine, warehouse(each.w).id, each.active, 'test');
        return;
    }
  }

  /** Units leave, some arrive, and the rest is closed short. */
  async function transfer(each: Extract<Op, { kind: 'transfer' }>): Promise<void> {
    const to = 1 - each.from;
    if (each.units > (physical[each.from] as number)) return;
    const lines = [{ sku, quantity: each.units }];
    const ends = { from: warehouse(each.from), to: warehouse(to) };
    const sent = await dispatchTransfer(engine, { ...ends, lines, actor });
    if (!(sent instanceof StockTransfer)) return;
    const arrived = Math.min(each.arrive, each.units);
    physical[each.from] = (physical[each.from] as number) - each.units;
    physical[to] = (physical[to] as number) + arrived;
    const received = arrived > 0 ? [{ sku, quantity: arrived }] : [];
    const receipt = { transferId: sent.id, lines: received, writeOffReason: 'lost', actor };
    await receiveTransfer(engine, receipt);
  }

  /** Units of parcels that left and are neither recorded nor counted. */
  const unrecorded = (of: number) =>
    sum(
      parcels.filter(({ countedIn }) => !countedIn.has(of)).map(({ from }) => from[of] as number),
    );

  async function expectTrue(last: Op): Promise<void> {
    const all = await levels();
    const seen = { last, all, physical, unnoticed, parcels };
    for (const [of, level] of all.entries()) {
      const isOnHand = (physical[of] as number) + (unnoticed[of] as number) + unrecorded(of);
      if (level.onHand !== isOnHand) {
        throw new Error(`warehouse ${of} should have ${isOnHand} on hand: ${JSON.stringify(seen)}`);
      }
    }
    const promised = [all.map(({ reserved }) => reserved), all.map(({ committed }) => committed)];
    const expected = [sum([...held.values()]), sum([...paid.values()])];
    if (JSON.stringify(promised.map(sum)) !== JSON.stringify(expected)) {
      throw new Error(`${expected} should be reserved and committed: ${JSON.stringify(seen)}`);
    }
    const active = await stock.query<{ id: string; active: boolean }>(
      'select id, active from warehouse where shop_id = $1',
      [shopId],
    );
    const sellable = all.map(({ onHand, reserved, committed, unavailable, buffer }, of) => {
      const isActive = active.find(({ id }) => id === warehouse(of).id)?.active;
      return isActive ? Math.max(0, onHand - reserved - committed - unavailable - buffer) : 0;
    });
    const available = await availableUnits();
    if (available !== sum(sellable)) {
      throw new Error(
        `${sum(sellable)} should be available, not ${available}: ${JSON.stringify(seen)}`,
      );
    }
  }

  return { run, expectTrue };
}
