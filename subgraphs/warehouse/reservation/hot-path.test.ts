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

  const tables = /\b(?:stock_item|stock_level|stock_movement|reservation_line|reservation)\b/;
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
    const statements = await statementsOf(stock.url, work);
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
});
