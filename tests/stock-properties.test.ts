import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { newId } from '../subgraphs/shared/ids.js';
import { setWarehouseActive } from '../subgraphs/warehouse/activation/set-warehouse-active.js';
import { expireReservations } from '../subgraphs/warehouse/expiry/expire-reservations.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  type StockEngine,
} from '../subgraphs/warehouse/reservation/engine.js';
import { adjustStock } from '../subgraphs/warehouse/stock/adjust-stock.js';
import { receiveStock } from '../subgraphs/warehouse/stock/receive-stock.js';
import { StockLevel } from '../subgraphs/warehouse/stock/stock-level.js';
import type { Warehouse } from '../subgraphs/warehouse/warehouse/warehouse.js';
import { openStock, stockUp, type TestStock } from './harness/stock-engine.js';
import {
  apply,
  available,
  emptyModel,
  type Model,
  type Op,
  type Sku,
  skus,
} from './harness/stock-model.js';

const sequences = process.env.LONG ? 1000 : 60;
const orderCount = 6;
const paymentCount = 3;

const order = fc.nat(orderCount - 1);
const warehouse = fc.nat(1);
const sku = fc.constantFrom(...skus);
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      order,
      X: fc.integer({ min: 1, max: 4 }),
      Y: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      order,
      payment: fc.nat(paymentCount - 1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), order }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('expire' as const),
      orders: fc.uniqueArray(order, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('receive' as const),
      warehouse,
      sku,
      units: fc.integer({ min: 1, max: 8 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('adjust' as const),
      warehouse,
      sku,
      units: fc.integer({ min: -4, max: 3 }).filter((units) => units !== 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('setActive' as const),
      warehouse,
      active: fc.boolean(),
    }),
  },
);
/** Orders that become due, then operations that start at the same time. */
const step = fc.record({
  due: fc.subarray([0, 1, 2, 3, 4, 5], { maxLength: 2 }),
  ops: fc.array(op, { minLength: 1, maxLength: 4 }),
});

describe('the stock engine against a model of its rules', () => {
  let stock: TestStock;
  let engines: StockEngine[];
  beforeAll(async () => {
    stock = await openStock();
    // Longer than a process may pause on a busy machine while it has rows locked.
    const patient = { lockTimeoutMs: 3000 };
    engines = [await stock.engine(patient), await stock.engine(patient)];
  });
  afterAll(() => stock.close());

  it(`answers simultaneous operations as if they ran in some order (${sequences} sequences)`, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    process.stdout.write(`stock properties: SEED=${seed}\n`);
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), runSequence);
    await fc.assert(property, { seed, numRuns: sequences, endOnFailure: !process.env.LONG });
  }, 900_000);

  async function runSequence(steps: { due: number[]; ops: Op[] }[]): Promise<void> {
    await stock.query(
      `truncate stock_count_line, stock_count, reservation_line, reservation, transfer_line, stock_transfer, stock_movement, ledger_checkpoint, stock_level,
         stock_item, warehouse_event, warehouse, outbox`,
    );
    const world = await openWorld(stock, engines);
    let model = emptyModel();
    for (const { due, ops } of steps) {
      await world.timeIsUp(due);
      for (const n of due)
        if (model.reservations[n]?.state === 'HELD') model.reservations[n].due = true;
      const answers = await Promise.all(ops.map((each, n) => world.run(each, n)));
      const seen = await world.look();
      const next = explain(model, ops, answers, seen);
      if (!next) {
        const facts = JSON.stringify({ ops, answers, seen, before: model });
        throw new Error(`no order of the operations explains ${facts}`);
      }
      model = next;
      await stock.expectStockInvariants();
    }
  }
});

/**
 * @returns the model after an order of the operations that leads to these answers and this stock;
 * null if none does
 */
function explain(model: Model, ops: readonly Op[], answers: readonly unknown[], seen: unknown) {
  for (const order of permutations(ops.map((_, n) => n))) {
    const tried = structuredClone(model);
    const fits = order.every((n) => isDeepStrictEqual(apply(tried, ops[n] as Op), answers[n]));
    if (fits && isDeepStrictEqual(shown(tried), seen)) return tried;
  }
  return null;
}

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield [];
  for (const [n, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(n, 1))) yield [item, ...rest];
  }
}

const levelsOf = (model: Model, one: Sku) =>
  [0, 1].map((w) => [model.onHand[one][w], model.reserved[one][w], model.committed[one][w]]);
const shown = (model: Model) => ({
  active: [...model.active],
  levels: { X: levelsOf(model, 'X'), Y: levelsOf(model, 'Y') },
  available: { X: available(model, 'X'), Y: available(model, 'Y') },
  reservations: Object.fromEntries(
    Object.entries(model.reservations).map(([n, { state, payment }]) => [n, [state, payment]]),
  ),
});

/** A shop with two warehouses and two skus, on which the operations of the model run. */
async function openWorld(stock: TestStock, engines: readonly StockEngine[]) {
  const [first] = engines as [StockEngine];
  const { shopId, warehouses } = await stockUp(first, [0, 0]);
  const orderIds = Array.from({ length: orderCount }, () => newId());
  const paymentIds = Array.from({ length: paymentCount }, () => newId());
  const paymentOf = (id: string | null) => (id === null ? null : paymentIds.indexOf(id));
  for (const one of warehouses) {
    for (const each of skus) {
      const receipt = { warehouse: one, sku: each, quantity: 1, reference: null, actor: 'test' };
      const level = await receiveStock(first, receipt);
      await adjustStock(first, { ...receipt, delta: -1, reason: 'an empty shelf' });
      if (level.warehouseId !== one.id) throw new Error('the receipt went elsewhere');
    }
  }

  async function run(op: Op, n: number): Promise<unknown> {
    const engine = engines[n % engines.length] as StockEngine;
    switch (op.kind) {
      case 'reserve': {
        const lines = skus
          .map((each) => ({ shopId, sku: each, quantity: op[each] }))
          .filter(({ quantity }) => quantity > 0);
        const orderId = orderIds[op.order] as string;
        const outcome = await reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
        if (outcome.state !== 'SHORT') return outcome.state;
        return outcome.shortages.map((each) => `${each.sku}: ${each.available} left`);
      }
      case 'commit': {
        const [orderId, paymentId] = [
          orderIds[op.order] as string,
          paymentIds[op.payment] as string,
        ];
        const ended = await commitReservation(engine, { orderId, paymentId });
        return [ended.state, paymentOf(ended.paymentId)];
      }
      case 'release': {
        const orderId = orderIds[op.order] as string;
        const ended = await releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' });
        return [ended.state, paymentOf(ended.paymentId)];
      }
      case 'expire': {
        const ids = op.orders.map((each) => orderIds[each] as string);
        const expired = await expireReservations(engine, ids);
        return op.orders.filter((each) => expired.includes(orderIds[each] as string));
      }
      case 'receive': {
        const to = warehouses[op.warehouse] as (typeof warehouses)[0];
        await receiveStock(engine, {
          warehouse: to,
          sku: op.sku,
          quantity: op.units,
          reference: null,
          actor: 'test',
        });
        return 'received';
      }
      case 'adjust': {
        const of = warehouses[op.warehouse] as (typeof warehouses)[0];
        const level = await adjustStock(engine, {
          warehouse: of,
          sku: op.sku,
          delta: op.units,
          reason: 'a count',
          actor: 'test',
        });
        return level instanceof StockLevel ? 'adjusted' : 'not enough';
      }
      case 'setActive':
        return (
          await setWarehouseActive(engine, warehouses[op.warehouse] as Warehouse, op.active, 'test')
        ).units;
    }
  }

  return {
    run,
    async timeIsUp(orders: readonly number[]) {
      await stock.query(
        `update reservation set expires_at = now() - interval '1 s'
         where state = 'HELD' and (order_id = any($1::uuid[]) or expires_at < now())`,
        [orders.map((n) => orderIds[n])],
      );
    },
    async look() {
      const levels = await stock.query<{
        sku: Sku;
        warehouseId: string;
        onHand: number;
        reserved: number;
        committed: number;
      }>(
        `select sku, warehouse_id as "warehouseId", on_hand as "onHand", reserved, committed
         from stock_level`,
      );
      const items = await stock.query<{ sku: Sku; available: number }>(
        'select sku, available from stock_item',
      );
      const reservations = await stock.query<{
        orderId: string;
        state: string;
        paymentId: string | null;
      }>('select order_id as "orderId", state, payment_id as "paymentId" from reservation');
      const levelOf = (one: Sku) =>
        warehouses.map(({ id }) => {
          const level = levels.find((each) => each.sku === one && each.warehouseId === id);
          return [level?.onHand, level?.reserved, level?.committed];
        });
      const availableOf = (one: Sku) => items.find((item) => item.sku === one)?.available;
      const warehouseRows = await stock.query<{ id: string; active: boolean }>(
        'select id, active from warehouse',
      );
      return {
        active: warehouses.map(({ id }) => warehouseRows.find((each) => each.id === id)?.active),
        levels: { X: levelOf('X'), Y: levelOf('Y') },
        available: { X: availableOf('X'), Y: availableOf('Y') },
        reservations: Object.fromEntries(
          reservations.map(({ orderId, state, paymentId }) => [
            String(orderIds.indexOf(orderId)),
            [state, paymentOf(paymentId)],
          ]),
        ),
      };
    },
  };
}
