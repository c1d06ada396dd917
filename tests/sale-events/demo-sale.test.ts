import { randomUUID } from 'node:crypto';
import { publishDemoSale } from '../../dev/demo-sale.js';
import { saleKeysPerCall, salesPerCall } from '../../subgraphs/contracts/sale.js';
import { saleStockOf, saleUnitsOf } from '../../subgraphs/contracts/warehouse.js';
import { overWebSocket } from '../harness/live.js';
import { address, logIn, type Person } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { querySubgraph } from '../rights/requests.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

const saleQuery = `query ($id: UUID!) { sale(id: $id) { slug state startsAt endsAt holdMinutes
  offers { edges { node { allocation remaining limitPerCustomer price { amount }
    offer { id price { amount } shop { slug } } } } } } }`;

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Reply = any;

describe('the demo sale', () => {
  let system: TestSystem;
  let clock: SaleClock;
  let ana: Person;
  let printed: string;
  let publishedAtMs: number;
  let saleId: string;
  beforeAll(async () => {
    system = await startSystem();
    clock = await openSaleClock(system.databases);
    ana = await logIn(system, 'ana');
    publishedAtMs = Date.now();
    printed = await publishDemoSale(system.url);
    saleId = /, id (\S+)\.\n/.exec(printed)?.[1] as string;
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await clock.close();
    await system.stop();
  });

  const ask = async (query: string, variables: object = {}): Promise<Reply> => {
    const { data, errors } = await retry(() => system.graphql(query, variables, ana.token));
    if (errors) throw new Error(JSON.stringify(errors));
    return Object.values(data)[0];
  };
  const sale = () => ask(saleQuery, { id: saleId });
  const linesOf = ({ offers }: Reply) => offers.edges.map(({ node }: Reply) => node);
  /** Buys with the item as it is printed. */
  const buyPrinted = (): Promise<Reply> => {
    const item = /items: (\[.*\])\n/.exec(printed)?.[1];
    return ask(
      `mutation ($to: ShippingAddressInput!) { checkout(input: {
         idempotencyKey: "${randomUUID()}", items: ${item}, shippingAddress: $to, paymentMethod: "Credit Card" }) {
         __typename
         ... on PaymentSuccess { order { status total { amount } shopOrders { items { saleId } } } }
         ... on SaleNotOpen { startsAt } } }`,
      { to: address },
    );
  };

  it('starts a minute after it is published, at half the price, with units of each offer set aside', async () => {
    const { slug, state, startsAt, endsAt, holdMinutes, ...more } = await sale();
    expect([state, holdMinutes]).toEqual(['SCHEDULED', 2]);
    expect(printed).toContain(`at ${startsAt}: ${slug}, id ${saleId}.`);
    const startsMs = new Date(startsAt).getTime();
    expect(startsMs).toBeGreaterThanOrEqual(publishedAtMs + 60_000);
    expect(new Date(endsAt).getTime() - startsMs).toBe(600_000);
    const lines = linesOf(more);
    expect(lines.length).toBeGreaterThan(0);
    for (const { offer, price, ...units } of lines) {
      expect(units).toEqual({ allocation: 50, remaining: 50, limitPerCustomer: 2 });
      expect(offer.shop.slug).toBe('north-outfitters');
      expect(Number(price.amount) * 2).toBeCloseTo(Number(offer.price.amount), 1);
      expect(printed).toContain(`    ${offer.id}  ${price.amount}\n`);
    }
  });

  it('is not published a second time', async () => {
    const before = await clock.rows('shop', 'select id from sale_event');
    const again = await publishDemoSale(system.url);
    expect(again).toContain(`there already: its offers are in sale ${saleId}`);
    expect(await clock.rows('shop', 'select id from sale_event')).toEqual(before);
  });

  it('is bought in and watched as it prints, once it has started', async () => {
    const watching = /subscription \{.*\}/.exec(printed)?.[0] as string;
    const live = overWebSocket(system.url);
    const watched = live.subscribe(watching);
    const last = async () => watched.seen.at(-1)?.data?.saleChanged;
    await eventually(last, (change) => change?.state === 'SCHEDULED');
    const { startsAt } = await sale();
    expect(await buyPrinted()).toEqual({ __typename: 'SaleNotOpen', startsAt });

    await clock.start(saleId);
    await eventually(last, (change) => change?.state === 'LIVE');
    const [{ price }] = linesOf(await sale());
    const bought = await buyPrinted();
    expect(bought).toEqual({
      __typename: 'PaymentSuccess',
      order: {
        status: 'CONFIRMED',
        total: price,
        shopOrders: [{ items: [{ saleId }] }],
      },
    });
    await eventually(last, ({ offers }) =>
      offers.some(({ remaining }: { remaining: number }) => remaining === 49),
    );
    live.close();
  });

  it('has units that the warehouse returns for as many keys as one call may have, and for no more', async () => {
    const [{ shopId, sku }] = (await clock.rows(
      'warehouse',
      'select shop_id as "shopId", sku from sale_item where sale_id = $1',
      [saleId],
    )) as [{ shopId: string; sku: string }];
    const unitsOf = (count: number) => {
      const of = Array.from({ length: count }, () => ({ saleId, shopId, sku }));
      const request = { query: saleUnitsOf.query, variables: { of } };
      return querySubgraph(system, 'warehouse', request, 'shop');
    };
    const units = await unitsOf(saleKeysPerCall);
    expect(units.data.saleUnitsOf).toHaveLength(saleKeysPerCall);
    expect(units.data.saleUnitsOf.at(-1)).toMatchObject({ sku, allocated: 50 });
    const stockOf = (count: number) => {
      const saleIds = Array.from({ length: count }, () => saleId);
      const request = { query: saleStockOf.query, variables: { saleIds } };
      return querySubgraph(system, 'warehouse', request, 'order');
    };
    const stock = await stockOf(salesPerCall);
    expect(stock.data.saleStockOf).toHaveLength(salesPerCall);
    for (const [reply, field, max] of [
      [await unitsOf(saleKeysPerCall + 1), 'of', saleKeysPerCall],
      [await stockOf(salesPerCall + 1), 'saleIds', salesPerCall],
    ] as const) {
      const { code, fields } = reply.errors?.[0]?.extensions ?? {};
      expect([code, fields]).toEqual(['BAD_USER_INPUT', { [field]: `must be at most ${max}` }]);
    }
  });
});
