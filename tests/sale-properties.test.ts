import fc from 'fast-check';
import { type ReserveLine, saleGraceMs } from '../subgraphs/contracts/reservation.js';
import { newId } from '../subgraphs/shared/ids.js';
import { setWarehouseActive } from '../subgraphs/warehouse/activation/set-warehouse-active.js';
import {
  commitReservation,
  releaseReservation,
  reserveStock,
  type StockEngine,
} from '../subgraphs/warehouse/reservation/engine.js';
import type { Warehouse } from '../subgraphs/warehouse/warehouse/warehouse.js';
import { endSale, lineOf, putInSale, requestOf } from './harness/sales.js';
import { openStock, stockUp, type TestStock } from './harness/stock-engine.js';

const sequences = process.env.LONG ? 1000 : 40;
const orderCount = 5;
const units = fc.nat(4);
const order = fc.nat(orderCount - 1);
const op = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('hold' as const),
      order,
      regular: units,
      ofSale: units,
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const), order }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), order }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('allocate' as const), units: fc.nat(14) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      agoMs: fc.constantFrom(0, saleGraceMs + 1000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('setActive' as const),
      warehouse: fc.nat(1),
      active: fc.boolean(),
    }),
  },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

/** The rules of a sale of one SKU in two warehouses, as plain arithmetic. */
class Model {
  readonly active = [true, true];
  readonly free = [6, 4];
  allocated = 0;
  held = 0;
  sold = 0;
  /** `null`: the item is in no sale */
  sale: 'OPEN' | 'GRACE' | 'OVER' | null = null;
  readonly orders = new Map<number, { state: string; ofSale: number; levels: number[] }>();

  get available() {
    return this.free.reduce((sum, n, w) => sum + (this.active[w] ? n : 0), 0);
  }
  get setAside() {
    return this.sale === null ? 0 : this.allocated - this.held - this.sold;
  }
  get regular() {
    return Math.max(0, this.available - (this.sale === 'OPEN' ? this.setAside : 0));
  }
  get ofSale() {
    const isOpen = this.sale === 'OPEN' || this.sale === 'GRACE';
    return isOpen ? Math.min(this.setAside, this.available) : 0;
  }
}

describe('the units of a sale against a model of its rules', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine({ lockTimeoutMs: 3000 });
  });
  afterAll(() => stock.close());

  it(`follow it in any order of operations (${sequences} sequences)`, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    process.stdout.write(`sale properties: SEED=${seed}\n`);
    const property = fc.asyncProperty(fc.array(op, { minLength: 3, maxLength: 20 }), runSequence);
    await fc.assert(property, { seed, numRuns: sequences, endOnFailure: !process.env.LONG });
    await stock.expectStockInvariants();
  }, 900_000);

  async function runSequence(ops: readonly Op[]): Promise<void> {
    const model = new Model();
    const key = await stockUp(engine, model.free);
    const orderIds = Array.from({ length: orderCount }, () => newId());
    const saleId = newId();
    for (const each of ops) {
      expect(await run(each)).toEqual(expected(model, each));
      const [seen] = await stock.query(
        `select available, set_aside as "setAside" from stock_item where shop_id = $1`,
        [key.shopId],
      );
      expect(seen).toEqual({ available: model.available, setAside: model.setAside });
      const [ofSale] = await stock.query(
        'select allocated, held, sold from sale_item where sale_id = $1',
        [saleId],
      );
      const { allocated, held, sold } = model;
      if (ofSale) expect(ofSale).toEqual({ allocated, held, sold });
      else expect(allocated).toBe(0);
    }

    async function run(each: Op): Promise<unknown> {
      switch (each.kind) {
        case 'hold': {
          const lines: ReserveLine[] = [
            lineOf(key, each.regular),
            lineOf(key, each.ofSale, saleId),
          ];
          const wanted = lines.filter(({ quantity }) => quantity > 0);
          if (wanted.length === 0) return 'nothing';
          const orderId = orderIds[each.order] as string;
          const outcome = await reserveStock(engine, { ...requestOf(...wanted), orderId });
          if (outcome.state === 'HELD') await learnLevels(each.order, orderId);
          return outcome.state;
        }
        case 'commit': {
          const request = { orderId: orderIds[each.order] as string, paymentId: newId() };
          return (await commitReservation(engine, request)).state;
        }
        case 'release': {
          const orderId = orderIds[each.order] as string;
          return (await releaseReservation(engine, { orderId, reason: 'BY_CUSTOMER' })).state;
        }
        case 'allocate':
          return (await putInSale(engine, key, each.units, { saleId })).refused.map(
            ({ least, most }) => [least, most],
          );
        case 'cancel':
          return (await putInSale(engine, key, null, { saleId })).refused;
        case 'end':
          if (model.sale !== null) await endSale(stock, key, each.agoMs);
          return 'ended';
        case 'setActive': {
          const warehouse = key.warehouses[each.warehouse] as Warehouse;
          await setWarehouseActive(engine, warehouse, each.active, 'test');
          return each.active;
        }
      }
    }

    /** Which warehouses serve an order is not what this is about. */
    async function learnLevels(n: number, orderId: string): Promise<void> {
      if (model.orders.has(n)) return;
      const levels = await Promise.all(
        key.warehouseIds.map(async (id) => {
          const [row] = await stock.query<{ units: number }>(
            `select coalesce(sum(quantity), 0)::int as units from reservation_line r
             join stock_level l on l.shop_id = r.shop_id and l.id = r.level_id
             where order_id = $1 and warehouse_id = $2`,
            [orderId, id],
          );
          return row?.units ?? 0;
        }),
      );
      model.orders.set(n, { state: 'HELD', ofSale: -1, levels });
    }
  }
});

/** Changes the model as the operation does. @returns the expected answer */
function expected(model: Model, each: Op): unknown {
  switch (each.kind) {
    case 'hold':
      return hold(model, each);
    case 'commit':
    case 'release':
      return end(model, each.order, each.kind === 'commit');
    case 'allocate':
      return allocate(model, each.units);
    case 'cancel':
      model.allocated = model.held + model.sold;
      model.sale = null;
      return [];
    case 'end':
      if (model.sale !== null) model.sale = each.agoMs > saleGraceMs ? 'OVER' : 'GRACE';
      return 'ended';
    case 'setActive':
      model.active[each.warehouse] = each.active;
      return each.active;
  }
}

function hold(model: Model, { order: n, regular, ofSale }: Extract<Op, { kind: 'hold' }>) {
  if (regular + ofSale === 0) return 'nothing';
  const known = model.orders.get(n);
  // One that was held by this very operation has no units yet.
  if (known && known.ofSale >= 0) return known.state;
  const enough =
    ofSale <= model.ofSale && regular <= Math.min(model.regular, model.available - ofSale);
  if (!known) return enough ? 'HELD, and was not' : 'SHORT';
  if (!enough) return 'SHORT, and was not';
  known.ofSale = ofSale;
  model.held += ofSale;
  for (const [w, taken] of known.levels.entries()) {
    model.free[w] = (model.free[w] as number) - taken;
  }
  return 'HELD';
}

function end(model: Model, n: number, isCommit: boolean): string {
  const known = model.orders.get(n) ?? { state: 'RELEASED', ofSale: 0, levels: [0, 0] };
  model.orders.set(n, known);
  if (known.state !== 'HELD') return known.state;
  known.state = isCommit ? 'COMMITTED' : 'RELEASED';
  model.held -= known.ofSale;
  if (isCommit) model.sold += known.ofSale;
  else {
    for (const [w, given] of known.levels.entries()) {
      model.free[w] = (model.free[w] as number) + given;
    }
  }
  return known.state;
}

function allocate(model: Model, wanted: number): unknown {
  const least = model.held + model.sold;
  const isSoldOut = model.allocated > 0 && model.sold === model.allocated;
  const most = isSoldOut ? model.sold : Math.max(model.allocated, least + model.available);
  if (wanted < least || wanted > most) return [[least, most]];
  model.allocated = wanted;
  model.sale = 'OPEN';
  return [];
}
