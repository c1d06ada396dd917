import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { address, openShop, type Person, registerPerson } from '../harness/people.js';
import { type ProcessSystem, startProcessSystem } from '../harness/process-system.js';
import { eventually } from '../harness/wait.js';
import { openBuyers, sendCheckout } from './buyers.js';
import { atTime, openSaleEvent } from './open-sale-event.js';

const ordersMax = 3;
const unitsMax = 20;
const settleMs = 30_000;
const holdMs = 6000;
const allocation = 1000;
const shopsCount = 10;
const shareMax = 0.02;
const lasts = 30;

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id } }
  ... on PaymentSuccess { order { id status } }
  ... on PaymentDeclined { order { id cancelReason } }
  ... on HoldLimitExceeded { kind openOrders openUnits limit retryAt }
  ... on NotEligible { reason }
} }`;

interface Answer {
  readonly __typename: string;
  readonly order?: { readonly id: string };
  readonly kind?: string;
  readonly reason?: string;
  readonly openOrders?: number | null;
  readonly openUnits?: number | null;
  readonly limit?: number;
  readonly retryAt?: string | null;
}
interface Held {
  readonly orders: number;
  readonly units: number;
}
type Graphql = ProcessSystem['graphql'];

/** What the customer has in PENDING orders, at one instant: orders, and the most units of one offer. */
const heldSql = `select
  (select count(*) from customer_order where customer_id = $1 and status = 'PENDING')::int as orders,
  (select coalesce(max(units), 0) from (
    select sum(i.quantity) as units
    from customer_order o join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
      join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
    where o.customer_id = $1 and o.status = 'PENDING' group by i.offer_id) as of_offer)::int as units`;

describe('one customer, with the limits that are the default', () => {
  let system: ProcessSystem;
  let routers: readonly Graphql[];
  let vendor: Person;
  let orders: pg.Client;
  let warehouse: pg.Client;
  beforeAll(async () => {
    system = await startProcessSystem({
      RESERVATION_MINUTES: String(holdMs / 60_000),
      PAYMENT_TIMEOUT_SECONDS: '2',
      OPEN_ORDERS_MAX: String(ordersMax),
      OPEN_UNITS_PER_OFFER_MAX: String(unitsMax),
    });
    routers = [system.graphql, await system.startOrderBeside()];
    vendor = await registerPerson(system, 'VENDOR');
    orders = new pg.Client({ connectionString: system.databases.order });
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await Promise.all([orders.connect(), warehouse.connect()]);
  }, 240_000);
  afterAll(async () => {
    await Promise.all([orders.end(), warehouse.end()]);
    await system.stop();
  }, 60_000);

  interface Line {
    readonly offerId: string;
    readonly quantity: number;
    readonly saleId?: string;
  }
  async function buy(graphql: Graphql, buyer: Person, line: Line, paymentMethod?: string) {
    const more = { shippingAddress: address, paymentMethod };
    const input = { idempotencyKey: randomUUID(), items: [line], ...more };
    const send = () => graphql(checkoutMutation, { input }, buyer.token);
    const answer = await sendCheckout<Answer>(send);
    if (!answer) throw new Error('no answer');
    return answer;
  }
  const heldBy = async ({ id }: Person): Promise<Held> =>
    (await orders.query<Held>(heldSql, [id])).rows[0] as Held;

  /** Looks at what the customer holds until the work is done. @returns each look */
  async function looksDuring(buyer: Person, work: Promise<unknown>): Promise<Held[]> {
    const looks: Held[] = [];
    let isDone = false;
    const end = work.finally(() => {
      isDone = true;
    });
    while (!isDone) looks.push(await heldBy(buyer));
    await end;
    return looks;
  }
  async function nothingIsHeld(buyer: Person): Promise<void> {
    await eventually(
      () => heldBy(buyer),
      ({ orders }) => orders === 0,
      settleMs,
    );
  }

  it('never holds more than three orders or 20 units of an offer, in 50 parallel requests to two processes', async () => {
    const shops: Awaited<ReturnType<typeof openShop>>[] = [];
    for (let n = 0; n < shopsCount; n++) shops.push(await openShop(system, vendor, [1000]));
    const [buyer] = (await openBuyers(system, 1)) as [Person];
    const send = (quantityOf: (n: number) => number, offersCount: number) =>
      Promise.all(
        Array.from({ length: 50 }, (_, n) => {
          const { offerId } = shops[n % offersCount] as (typeof shops)[0];
          const line = { offerId, quantity: quantityOf(n) };
          return buy(routers[n % 2] as Graphql, buyer, line);
        }),
      );
    const ofDifferent = send((n) => 1 + (n % 20), shops.length);
    const looks = await looksDuring(buyer, ofDifferent);
    await nothingIsHeld(buyer);
    const ofOne = send(() => 7, 1);
    looks.push(...(await looksDuring(buyer, ofOne)));

    expect(Math.max(...looks.map((held) => held.orders))).toBe(ordersMax);
    expect(Math.max(...looks.map(({ units }) => units))).toBeLessThanOrEqual(unitsMax);
    for (const answers of [await ofDifferent, await ofOne]) {
      const placed = answers.filter(({ order }) => order);
      expect(placed.length).toBeGreaterThanOrEqual(2);
      const refused = answers.filter(({ order }) => !order);
      expect(refused.length).toBeGreaterThan(0);
      for (const { __typename, kind, limit } of refused) {
        expect(__typename).toBe('HoldLimitExceeded');
        expect(limit).toBe(kind === 'OPEN_ORDERS' ? ordersMax : unitsMax);
      }
    }
    await nothingIsHeld(buyer);
    await system.expectInvariants(settleMs);
  }, 180_000);

  it('who does not pay keeps at most 2 % of the units of a sale from others, over all of its time', async () => {
    const { shopId, offerId } = await openShop(system, vendor, [allocation]);
    const [buyer] = (await openBuyers(system, 1)) as [Person];
    const lines = [{ offerId, price: '1.00', allocation }];
    const sale = await openSaleEvent(system, vendor, shopId, { startsIn: 6, lasts, lines });
    await atTime(sale.startsAt, 100);

    const answers: Answer[] = [];
    let isOver = false;
    const hoard = async (graphql: Graphql) => {
      while (!isOver) {
        for (const quantity of [unitsMax, 7, 1]) {
          answers.push(await buy(graphql, buyer, { offerId, quantity, saleId: sale.id }));
        }
        await pause(200);
      }
    };
    /** held units × ms, by the looks at them */
    let heldMs = 0;
    const look = async () => {
      for (let fromMs = performance.now(); !isOver; ) {
        const { rows } = await warehouse.query<{ held: number }>(
          'select held from sale_item where sale_id = $1',
          [sale.id],
        );
        const now = performance.now();
        heldMs += (rows[0]?.held ?? 0) * (now - fromMs);
        fromMs = now;
        await pause(20);
      }
    };
    const end = async () => {
      await atTime(sale.endsAt, -1000);
      isOver = true;
    };
    await Promise.all([...routers.map(hoard), look(), end()]);

    expect(heldMs).toBeGreaterThan(0);
    expect(heldMs).toBeLessThanOrEqual(shareMax * allocation * lasts * 1000);
    // Two holds that expired end it: what comes until the end of the sale is refused until then.
    expect(answers.at(-1)).toEqual({
      __typename: 'HoldLimitExceeded',
      kind: 'EXPIRED_ORDERS',
      openOrders: null,
      openUnits: null,
      limit: 2,
      retryAt: sale.endsAt.toISOString(),
    });
    await nothingIsHeld(buyer);
    await system.expectInvariants(settleMs);
  }, 180_000);

  it('whose card is declined tries again, in a sale with one unit for each proven phone number', async () => {
    const { shopId, offerId } = await openShop(system, vendor, [10]);
    const [buyer, unproven] = (await openBuyers(system, 2)) as [Person, Person];
    const users = new pg.Client({ connectionString: system.databases.user });
    await users.connect();
    await users.query('update user_account set phone = $2 where id = $1', [
      buyer.id,
      `+1555${String(Date.now()).slice(-7)}`,
    ]);
    await users.end();
    const lines = [{ offerId, price: '1.00', allocation: 5, limitPerCustomer: 1 }];
    const terms = { startsIn: 6, lasts: 120, lines, eligibility: 'PROVEN_PHONE' };
    const { id: saleId, startsAt } = await openSaleEvent(system, vendor, shopId, terms);
    await atTime(startsAt, 100);
    const line = { offerId, quantity: 1, saleId };

    expect(await buy(system.graphql, unproven, line)).toMatchObject({
      __typename: 'NotEligible',
      reason: 'PHONE_NOT_PROVEN',
    });
    for (let n = 0; n < ordersMax + 1; n++) {
      expect(await buy(routers[n % 2] as Graphql, buyer, line, 'Declined Card')).toMatchObject({
        __typename: 'PaymentDeclined',
        order: { cancelReason: 'PAYMENT_FAILED' },
      });
    }
    expect(await buy(system.graphql, buyer, line, 'Credit Card')).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
    });
    expect(await buy(system.graphql, buyer, line, 'Credit Card')).toMatchObject({
      __typename: 'PurchaseLimitExceeded',
    });
  }, 120_000);
});
