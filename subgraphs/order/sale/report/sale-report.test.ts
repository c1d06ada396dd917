import type { EntityManager } from '@mikro-orm/postgresql';
import { openTestDatabase } from '../../../../tests/harness/databases.js';
import type { SaleSummary } from '../../../contracts/shop.js';
import type { SaleStock } from '../../../contracts/warehouse.js';
import type { Role } from '../../../shared/auth/tokens.js';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import type { OrderContext } from '../../context.js';
import { databaseSchema } from '../../mikro-orm.config.js';
import type { SaleReads } from '../read-sales.js';
import { SaleEventResolver, SaleReportResolver } from './sale-event.resolver.js';
import { saleGauges } from './sale-gauges.js';

const [saleId, shopA, shopB, ownerA, ownerB] = [newId(), newId(), newId(), newId(), newId()];
const [offerA, offerB] = [newId(), newId()];
const at = new Date(Date.UTC(2026, 10, 27, 12)).toISOString();
const sale: SaleSummary = {
  ...{ id: saleId, state: 'LIVE', startsAt: at, endsAt: at, decidedAt: at },
  ...{ admission: 'OPEN', eligibility: 'ANYONE', accountBefore: null },
  ...{ admissionMinutes: 5, admissionsPerMinute: null, pausedMs: 0, isPaused: false },
  shops: [
    { shopId: shopA, ownerId: ownerA },
    { shopId: shopB, ownerId: ownerB },
  ],
  offers: [
    { offerId: offerA, shopId: shopA, sku: 'A' },
    { offerId: offerB, shopId: shopB, sku: 'B' },
  ],
};
const emptyId = newId();
/** With the sale, a platform event that no shop has joined. */
const sales = [
  [saleId, sale],
  [emptyId, { ...sale, id: emptyId, shops: [], offers: [] }],
] as const;
const lineOf = (shopId: string, sku: string, allocated: number, held: number, sold: number) => {
  return { shopId, sku, allocated, held, sold, remaining: allocated - held - sold };
};

describe('the report of a sale', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let stock: SaleStock[];
  const saleReads: SaleReads = {
    sales: async (ids) => new Map(sales.filter(([id]) => ids.includes(id))),
    stock: async (ids) => new Map(ids.map((id) => [id, id === saleId ? stock : []])),
  };
  beforeAll(async () => {
    database = await openTestDatabase('order', databaseSchema);
  });
  afterAll(() => database.close());
  const rows = <T>(text: string, values: unknown[] = []) =>
    sql<T>(database.orm.em.fork(), text, values);
  beforeEach(async () => {
    stock = [lineOf(shopA, 'A', 100, 2, 9), lineOf(shopB, 'B', 50, 0, 1)];
    await rows('truncate customer_order, numbered_order, purchase, sale_refusal cascade');
  });

  const contextOf = (id: string, role: Role) =>
    ({
      identity: { id, role, sessionId: id },
      em: database.orm.em.fork() as EntityManager,
      app: { saleReads },
    }) as unknown as OrderContext;
  const reportFor = (id: string, role: Role = 'VENDOR', of = saleId) =>
    new SaleEventResolver().report({ id: of }, contextOf(id, role));

  interface Placed {
    readonly shopId?: string;
    readonly units: number;
    readonly price?: string;
    readonly currency?: string;
    readonly customerId?: string;
    readonly inSale?: string | null;
    readonly cancelled?: number;
    /** seconds from the checkout to the payment of a paid order */
    readonly paidAfter?: number;
    readonly end?: 'PAYMENT_TIMEOUT' | 'BY_CUSTOMER';
  }
  /** An order of one line: paid, ended unpaid, or pending. */
  async function place(order: Placed): Promise<void> {
    const { shopId = shopA, units, price = '10.00', currency = 'USD', inSale = saleId } = order;
    const { customerId = newId(), cancelled = 0, paidAfter, end } = order;
    const [orderId, shopOrderId] = [newId(), newId()];
    const status = end ? 'CANCELLED' : paidAfter === undefined ? 'PENDING' : 'CONFIRMED';
    await rows(
      `insert into customer_order (customer_id, id, total_amount, currency_code, shipping_address, number, status,
         cancel_reason, created_at)
       values ($1, $2, 0, $3, '{}', 'H' || nextval('order_number'), $4, $5, now() - interval '1 hour')`,
      [customerId, orderId, currency, status, end ?? null],
    );
    await rows(
      `insert into shop_order (customer_id, id, order_id, shop_id, status, never_paid)
       values ($1, $2, $3, $4, $5, $6)`,
      [customerId, shopOrderId, orderId, shopId, status, end !== undefined],
    );
    await rows(
      `insert into order_item (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
         quantity, cancelled_quantity, sale_id)
       values ($1, $2, $3, $4, 'S', 'S', $5, $6, $7, $8, $9)`,
      [
        ...[customerId, newId(), shopOrderId, shopId === shopA ? offerA : offerB],
        ...[price, currency, units, cancelled, inSale],
      ],
    );
    if (paidAfter === undefined) return;
    await rows(
      `insert into payment (customer_id, id, order_id, amount, status, provider, created_at)
       select customer_id, $3, id, 1, 'COMPLETED', 'sandbox', created_at + $4 * interval '1 s'
       from customer_order where customer_id = $1 and id = $2`,
      [customerId, orderId, newId(), paidAfter],
    );
  }

  it('has units of the warehouse, and what the orders say', async () => {
    const customerId = newId();
    await place({ units: 5, paidAfter: 10, customerId });
    await place({ units: 4, price: '2.50', paidAfter: 30, cancelled: 1, customerId });
    await place({ units: 1, shopId: shopB, currency: 'EUR', paidAfter: 200 });
    await place({ units: 2 });
    await place({ units: 3, end: 'PAYMENT_TIMEOUT' });
    await place({ units: 7, end: 'BY_CUSTOMER' });
    await place({ units: 50, inSale: null, paidAfter: 1 });
    await place({ units: 50, inSale: newId(), paidAfter: 1 });
    expect(await reportFor(newId(), 'ADMIN')).toMatchObject({
      ...{ allocated: 150, held: 2, sold: 10, expired: 3, oversold: 0, medianSecondsToPay: 30 },
      revenue: [
        { amount: '10.00', currencyCode: 'EUR' },
        { amount: '57.50', currencyCode: 'USD' },
      ],
      largestAccountShare: 9 / 150,
    });
  });

  it('shows the owner of a shop nothing of the others', async () => {
    await place({ units: 5, paidAfter: 10 });
    await place({ units: 1, shopId: shopB, paidAfter: 20 });
    expect(await reportFor(ownerB)).toMatchObject({
      ...{ allocated: 50, held: 0, sold: 1, medianSecondsToPay: 20, largestAccountShare: 0.02 },
      revenue: [{ amount: '10.00', currencyCode: 'USD' }],
    });
  });

  it('is refused to everybody else, and for a sale that is not published', async () => {
    await expect(reportFor(newId())).rejects.toMatchObject({ extensions: { code: 'FORBIDDEN' } });
    const unknown = reportFor(newId(), 'ADMIN', newId());
    await expect(unknown).rejects.toMatchObject({ extensions: { code: 'NOT_FOUND' } });
  });

  it('of a platform event that no shop has joined is empty to admins, and refused to others', async () => {
    expect(await reportFor(newId(), 'ADMIN', emptyId)).toMatchObject({
      ...{ allocated: 0, sold: 0, revenue: [], largestAccountShare: null },
    });
    await expect(reportFor(ownerA, 'VENDOR', emptyId)).rejects.toMatchObject({
      extensions: { code: 'FORBIDDEN' },
    });
  });

  it('says that more was paid than allocated, for each offer by itself', async () => {
    await place({ units: 103, paidAfter: 1 });
    await place({ units: 1, shopId: shopB, paidAfter: 1 });
    expect(await reportFor(newId(), 'ADMIN')).toMatchObject({ oversold: 3 });
  });

  it('of a sale in which nothing was bought is empty', async () => {
    stock = [];
    expect(await reportFor(ownerA)).toMatchObject({
      ...{ allocated: 0, held: 0, sold: 0, expired: 0, revenue: [], oversold: 0 },
      ...{ medianSecondsToPay: null, largestAccountShare: null },
    });
  });

  it('has refusals by kind, and by minute in pages, of the shops that the viewer owns', async () => {
    const minutes = ['12:00', '12:01', '12:02'].map((time) => `2026-11-27T${time}:00Z`);
    for (const minute of minutes) {
      for (const [kind, shopId, count] of [
        ['SaleSoldOut', shopA, 2],
        ['SaleSoldOut', shopB, 10],
        ['SaleNotOpen', shopA, 1],
      ]) {
        const values = [saleId, minute, kind, shopId, count];
        await rows('insert into sale_refusal values ($1, $2, $3, $4, $5)', values);
      }
    }
    const resolver = new SaleReportResolver();
    const context = contextOf(ownerA, 'VENDOR');
    const report = await new SaleEventResolver().report({ id: saleId }, context);
    expect(await resolver.refusalTotals(report, context)).toMatchObject([
      { kind: 'SaleSoldOut', count: 6 },
      { kind: 'SaleNotOpen', count: 3 },
    ]);
    const seen: unknown[] = [];
    let after: string | null = null;
    do {
      const page = await resolver.refusals(report, context, { first: 4, after });
      seen.push(
        ...page.edges.map(({ node }) => [
          node.minute.toISOString().slice(11, 16),
          node.kind,
          node.count,
        ]),
      );
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(
      ['12:02', '12:01', '12:00'].flatMap((minute) => [
        [minute, 'SaleSoldOut', 2],
        [minute, 'SaleNotOpen', 1],
      ]),
    );
    const admin = contextOf(newId(), 'ADMIN');
    const all = await new SaleEventResolver().report({ id: saleId }, admin);
    expect((await resolver.refusalTotals(all, admin))[0]).toMatchObject({ count: 36 });
  });

  it('has a metric of the largest account, of sales that are not small', async () => {
    const [gauge] = saleGauges;
    const read = () => gauge?.read({ em: database.orm.em.fork(), app: { saleReads } });
    expect(await read()).toBe(0);
    const buy = (customerId: string, offerId: string, units: number, of = saleId) =>
      rows(
        `insert into sale_purchase (customer_id, sale_id, offer_id, units) values ($1, $2, $3, $4)`,
        [customerId, of, offerId, units],
      );
    const customerId = newId();
    await buy(customerId, offerA, 20);
    await rows(`update sale_purchase set updated_at = now() - interval '2 hours'`);
    await buy(customerId, offerB, 10);
    await buy(newId(), offerA, 25);
    await buy(newId(), offerA, 99, newId());
    expect(await read()).toBe(30 / 150);
    stock = [lineOf(shopA, 'A', 99, 0, 0)];
    expect(await read()).toBe(0);
  });
});
