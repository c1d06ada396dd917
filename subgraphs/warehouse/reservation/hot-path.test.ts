import { lineOf, putInSale, requestOf } from '../../../tests/harness/sales.js';
import { statementsOf } from '../../../tests/harness/statements.js';
import { openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { newId } from '../../shared/ids.js';
import { commitReservation, releaseReservation, reserveStock, type StockEngine } from './engine.js';

/** Each more slows down every sale: measure with `npm run bench -- reserve` before adding one. */
describe('the statements and rows of a sale', () => {
  let stock: TestStock;
  let engine: StockEngine;
  beforeAll(async () => {
    stock = await openStock();
    engine = await stock.engine();
  });
  afterAll(() => stock.close());

  const tables =
    /\b(?:stock_item|stock_level|stock_movement|reservation_line|reservation|sale_item)\b/;
  /** A statement by its verb and its first table; those about the outbox are left out. */
  const shapeOf = (statement: string) =>
    [/\w+/.exec(statement)?.[0], tables.exec(statement)?.[0]].filter(Boolean).join(' ');

  async function rows() {
    const all = await stock.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace
         and relkind in ('r', 'p') and not relispartition`,
    );
    const counts = new Map<string, number>();
    for (const { name } of all) {
      const [row] = await stock.query<{ n: number }>(`select count(*)::int as n from "${name}"`);
      counts.set(name, row?.n ?? 0);
    }
    return counts;
  }

  async function costOf(work: () => Promise<unknown>) {
    const before = await rows();
    const statements = await statementsOf('test', work, /^(?!.*\boutbox\b)/s);
    const added = [...(await rows())].filter(([name, n]) => n !== before.get(name));
    return {
      statements: statements.map(shapeOf),
      rows: Object.fromEntries(added.map(([name, n]) => [name, n - (before.get(name) ?? 0)])),
    };
  }

  it('are these', async () => {
    const { shopId, sku } = await stockUp(engine, [10, 10]);
    const lines = [{ shopId, sku, quantity: 3 }];
    const [paid, unpaid] = [newId(), newId()];
    const reserve = (orderId: string) =>
      reserveStock(engine, { orderId, lines, reserveForMs: 3_600_000 });
    await reserve(unpaid);
    expect(await costOf(() => reserve(paid))).toEqual({
      statements: [
        'select stock_item',
        'select stock_level',
        'select reservation',
        'insert reservation',
        'insert reservation_line',
        'insert stock_movement',
        'update stock_level',
        'update stock_item',
        'commit',
      ],
      rows: { reservation: 1, reservation_line: 1, stock_movement: 1 },
    });
    const end = [
      'select reservation',
      'select reservation_line',
      'select stock_item',
      'select stock_level',
      'update reservation',
      'insert stock_movement',
      'update stock_level',
    ];
    const payment = { orderId: paid, paymentId: newId() };
    expect(await costOf(() => commitReservation(engine, payment))).toEqual({
      statements: [...end, 'commit'],
      rows: { stock_movement: 1 },
    });
    const release = { orderId: unpaid, reason: 'BY_CUSTOMER' as const };
    expect(await costOf(() => releaseReservation(engine, release))).toEqual({
      statements: [...end, 'update stock_item', 'commit'],
      rows: { stock_movement: 1, outbox: 1 },
    });
  });

  it('have one to read and one to write units of a sale, where an order has some', async () => {
    const key = await stockUp(engine, [20]);
    const { saleId } = await putInSale(engine, key, 12);
    const request = () => requestOf(lineOf(key, 1), lineOf(key, 2, saleId));
    const [unpaid, paid] = [request(), request()];
    await reserveStock(engine, unpaid);
    const reads = 'select sale_item';
    const writes = 'update sale_item';
    const ofSale = (statements: readonly string[]) =>
      statements.filter((each) => each.endsWith('sale_item'));
    const reserved = await costOf(() => reserveStock(engine, paid));
    expect(ofSale(reserved.statements)).toEqual([reads, writes]);
    expect(reserved.statements).toHaveLength(11);
    expect(reserved.rows).toEqual({ reservation: 1, reservation_line: 2, stock_movement: 1 });
    const payment = { orderId: paid.orderId, paymentId: newId() };
    const committed = await costOf(() => commitReservation(engine, payment));
    expect(ofSale(committed.statements)).toEqual([writes]);
    expect(committed.rows).toEqual({ stock_movement: 1 });
    const release = { orderId: unpaid.orderId, reason: 'BY_CUSTOMER' as const };
    const released = await costOf(() => releaseReservation(engine, release));
    expect(ofSale(released.statements)).toEqual([writes]);
  });
});
