import fc from 'fast-check';
import { type List, nodes, nodesOf } from './harness/connections.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { retryUntil } from './harness/retry.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const long = process.env.LONG === '1';
const totalsRuns = long ? 200 : 15;
const refundsRuns = long ? 100 : 12;
const maxMs = long ? 900_000 : 360_000;
const timeoutMs = 20_000;
const priceMaxCents = 9_999_999_99;

const cents = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: priceMaxCents }),
);
/** For each shop, the price of a unit in cents and the number of units. */
const basket = fc
  .array(fc.tuple(cents, fc.integer({ min: 1, max: 40 })), { minLength: 3, maxLength: 3 })
  .filter((lines) => lines.some(([price]) => price > 0));
const shopAt = fc.nat(2);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('cancelShopOrder' as const), shopAt }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('shipShopOrder' as const), shopAt }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('cancelOrder' as const), shopAt }) },
);
type Basket = [number, number][];
type Step = { verb: 'cancelShopOrder' | 'shipShopOrder' | 'cancelOrder'; shopAt: number };

interface Amount {
  readonly amount: string;
}
interface OrderView {
  readonly status: string;
  readonly total: Amount;
  readonly shopOrders: {
    id: string;
    status: string;
    subtotal: Amount;
    items: { quantity: number; unitPrice: Amount; lineTotal: Amount }[];
  }[];
  readonly payments: List<{
    status: string;
    amount: Amount;
    refunds: ({ status: string } & { amount: Amount })[];
  }>;
}

// Whole cents as BigInt, to be independent of the arithmetic under test.
const centsOf = ({ amount }: Amount): bigint => {
  expect(amount).toMatch(/^\d+\.\d\d$/);
  return BigInt(amount.replace('.', ''));
};
const sum = (amounts: readonly bigint[]) => amounts.reduce((all, each) => all + each, 0n);
const written = (price: number) =>
  `${Math.floor(price / 100)}.${String(price % 100).padStart(2, '0')}`;

describe('money', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let shops: Awaited<ReturnType<typeof openShop>>[];
  beforeAll(async () => {
    system = await startSystem();
    [vendor, customer] = [await registerPerson(system, 'VENDOR'), await registerPerson(system)];
    shops = [];
    for (let n = 0; n < 3; n++) shops.push(await openShop(system, vendor, [100_000]));
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const send = async (query: string, variables: object, { token }: Person) => {
    const untilMs = Date.now() + timeoutMs;
    const reply = await retryUntil(() => system.graphql(query, variables, token), untilMs);
    if (!reply || reply.errors) throw new Error(JSON.stringify(reply?.errors ?? 'no answer'));
    return reply.data;
  };
  async function place(lines: Basket): Promise<string> {
    for (const [n, [price]] of lines.entries()) {
      const { shopId, sku } = shops[n] as (typeof shops)[0];
      const set = 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }';
      await send(set, { input: { shopId, sku, price: written(price) } }, vendor);
    }
    const items = lines.map(([, quantity], n) => ({
      offerId: shops[n]?.offerId as string,
      quantity,
    }));
    return (await checkout(system, customer, items)).data.checkout.order.id;
  }
  const look = async (id: string): Promise<OrderView> => {
    const query = `query ($id: UUID!) { order(id: $id) {
      status total { amount }
      shopOrders { id status subtotal { amount }
        items { quantity unitPrice { amount } lineTotal { amount } } }
      payments { ${nodes('status amount { amount } refunds { status amount { amount } }')} } } }`;
    return (await send(query, { id }, customer)).order;
  };

  it(
    `totals are the sums of their lines, exactly (${totalsRuns} baskets)`,
    async () => {
      const property = fc.asyncProperty(basket, async (lines) => {
        const { total, shopOrders } = await look(await place(lines));
        const ordered = shopOrders.flatMap(({ items }) => items);
        for (const { quantity, unitPrice, lineTotal } of ordered) {
          expect(centsOf(lineTotal)).toBe(centsOf(unitPrice) * BigInt(quantity));
        }
        for (const { subtotal, items } of shopOrders) {
          expect(centsOf(subtotal)).toBe(sum(items.map(({ lineTotal }) => centsOf(lineTotal))));
        }
        expect(centsOf(total)).toBe(
          sum(lines.map(([price, quantity]) => BigInt(price) * BigInt(quantity))),
        );
        expect(centsOf(total)).toBe(sum(shopOrders.map(({ subtotal }) => centsOf(subtotal))));
      });
      await fc.assert(property, { numRuns: totalsRuns, endOnFailure: !long });
    },
    maxMs,
  );

  it(
    `refunds add up to the price of what was cancelled, never more than was paid (${refundsRuns} orders)`,
    async () => {
      const stepsOfOrder = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), {
        minLength: 1,
        maxLength: 4,
      });
      const property = fc.asyncProperty(basket, stepsOfOrder, async (lines, steps) => {
        const id = await place(lines);
        await pay(system, customer, id);
        const shopOrderIds = (await look(id)).shopOrders.map((each) => each.id);
        for (const atOnce of steps) {
          await Promise.all(atOnce.map((each) => take(each, id, shopOrderIds)));
          expectRefunded(await look(id));
        }
        const isSent = ({ payments }: OrderView) =>
          nodesOf(payments).every(({ refunds }) =>
            refunds.every(({ status }) => status === 'COMPLETED'),
          );
        expectRefunded(await eventually(() => look(id), isSent, timeoutMs));
        await system.expectInvariants();
      });
      // Only the free items are left after the cancellation.
      const freeRest: [Basket, Step[][]] = [
        [
          [1000, 1],
          [0, 1],
          [0, 1],
        ],
        [[{ verb: 'cancelShopOrder', shopAt: 0 }]],
      ];
      const examples = [freeRest];
      await fc.assert(property, { numRuns: refundsRuns, examples, endOnFailure: !long });
    },
    maxMs,
  );

  function take({ verb, shopAt }: Step, orderId: string, shopOrderIds: readonly string[]) {
    const id = shopOrderIds[shopAt] as string;
    if (verb === 'shipShopOrder') {
      const ship = `mutation ($input: ShipShopOrderInput!) { shipShopOrder(input: $input) { __typename } }`;
      return send(ship, { input: { id } }, vendor);
    }
    if (verb === 'cancelShopOrder') {
      return send(cancelShopOrderMutation, { input: { id, reason: 'OTHER' } }, vendor);
    }
    const mutation = `mutation ($id: UUID!) { ${verb}(id: $id) { __typename } }`;
    return verb === 'cancelOrder'
      ? send(mutation, { id: orderId }, customer)
      : send(mutation, { id }, vendor);
  }
});

function expectRefunded({ total, shopOrders, payments }: OrderView): void {
  const [payment, ...others] = nodesOf(payments);
  if (!payment) throw new Error('no payment');
  expect(others).toEqual([]);
  const refunded = sum(payment.refunds.map(({ amount }) => centsOf(amount)));
  const cancelled = shopOrders.filter(({ status }) => status === 'CANCELLED');
  expect(refunded).toBe(sum(cancelled.map(({ subtotal }) => centsOf(subtotal))));
  expect(centsOf(payment.amount)).toBe(centsOf(total));
  expect(refunded <= centsOf(payment.amount)).toBe(true);
}
