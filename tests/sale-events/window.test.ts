import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import { openBuyers } from '../../dev/seed/buyers.js';
import { address, openShop, type Person, registerPerson } from '../harness/people.js';
import {
  type ProcessName,
  type ProcessSystem,
  startProcessSystem,
} from '../harness/process-system.js';
import { eventually, noReservationIsOverdue } from '../harness/wait.js';
import { atTime, type OpenedSale, openSaleEvent } from './open-sale-event.js';
import { sendCheckout } from './send-checkout.js';

const long = process.env.LONG === '1';
/** Those who come over the end, and those of a round with kills. */
const lateBuyers = Number(process.env.SALE_LATE_BUYERS ?? (long ? 2000 : 100));
const killedBuyers = Number(process.env.SALE_KILLED_BUYERS ?? (long ? 2000 : 300));
const roundsCount = Number(process.env.SALE_ROUNDS ?? (long ? 5 : 1));
const roundMaxMs = long ? 1_200_000 : 480_000;
const settleMs = 30_000;

const allocation = 150;
const regularUnits = 20;
const plenty = 3000;
const regularPrice = '10.00';
const salePrice = '4.00';
/** seconds: until the start, of the sale that ends in the test, and of the one that sells all of its units */
const startsIn = 12;
const lasts = 30;
const longEnough = 150;
/** how long before and after the start, and the end, buyers come */
const aroundMs = 5000;

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id } }
  ... on PaymentSuccess { order { id } }
  ... on PaymentDeclined { order { id } }
  ... on OrderExpired { order { id } }
  ... on SaleSoldOut { isFinal }
  ... on SaleNotOpen { startsAt serverTime }
} }`;

interface Answer {
  readonly __typename: string;
  readonly order?: { readonly id: string };
  readonly isFinal?: boolean;
  readonly startsAt?: string | null;
}
interface Sent {
  readonly buyer: Person;
  readonly input: object;
  readonly answer: Answer;
}

/** Orders of the sale that were decided outside of its window or at another price, and regular ones at its price. */
const misplacedSql = `
  select i.order_id, i.sale_id, i.decided_at, i.unit_price_amount
  from (select s.order_id, i.* from order_item i
        join shop_order s on s.customer_id = i.customer_id and s.id = i.shop_order_id) i
  where (i.sale_id = $1 and (i.decided_at < $2 or i.decided_at >= $3 or i.unit_price_amount <> $4))
    or (i.sale_id is null and i.offer_id = any($6) and i.unit_price_amount <> $5)`;

describe('a sale that opens and ends while customers buy', () => {
  let system: ProcessSystem;
  let vendor: Person;
  let orders: pg.Client;
  let warehouse: pg.Client;
  beforeAll(async () => {
    system = await startProcessSystem({
      RESERVATION_MINUTES: '0.1',
      PAYMENT_TIMEOUT_SECONDS: '2',
    });
    vendor = await registerPerson(system, 'VENDOR');
    orders = new pg.Client({ connectionString: system.databases.order });
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await Promise.all([orders.connect(), warehouse.connect()]);
  }, 240_000);
  afterAll(async () => {
    await Promise.all([orders.end(), warehouse.end()]);
    await system.stop();
  }, 60_000);

  const send = (buyer: Person, input: object) =>
    sendCheckout<Answer>(() => system.graphql(checkoutMutation, { input }, buyer.token));

  /** Units of a sale’s only offer. */
  async function unitsOf({ id }: OpenedSale) {
    const units = 'select allocated, held, sold from sale_item where sale_id = $1';
    return (await warehouse.query(units, [id])).rows[0];
  }
  /** Buys at the regular price, without the sale. */
  async function buyRegular(buyer: Person, offerId: string): Promise<string | undefined> {
    const items = [{ offerId, quantity: 1 }];
    const more = { shippingAddress: address, paymentMethod: 'Credit Card' };
    return (await send(buyer, { idempotencyKey: randomUUID(), items, ...more }))?.__typename;
  }

  interface Round {
    readonly buyersCount: number;
    atStart?(): Promise<void>;
    atEnd?(): Promise<void>;
  }
  /** One sale for whose units more come than there are, and one that ends with units left. */
  async function round({ buyersCount, atStart, atEnd }: Round): Promise<void> {
    const wanted = await openShop(system, vendor, [allocation + regularUnits], regularPrice);
    const enough = await openShop(system, vendor, [plenty], regularPrice);
    const buyers = await openBuyers(system, buyersCount);
    const opened = (shopId: string, offerId: string, lasts: number, units: number) =>
      openSaleEvent(system, vendor, shopId, {
        startsIn,
        lasts,
        lines: [{ offerId, price: salePrice, allocation: units }],
      });
    const sale = await opened(wanted.shopId, wanted.offerId, longEnough, allocation);
    const ending = await opened(enough.shopId, enough.offerId, lasts, plenty);
    const sent: Sent[] = [];
    const late = buyers.slice(-lateBuyers);

    async function buyOnce(buyer: Person, offerId: string, saleId: string, method: string | null) {
      const input = {
        idempotencyKey: randomUUID(),
        items: [{ offerId, quantity: 1, saleId }],
        paymentMethod: method,
        shippingAddress: address,
      };
      const answer = await send(buyer, input);
      if (answer) sent.push({ buyer, input, answer });
      return answer;
    }
    /** Comes at most 5 s before or after the start, and tries until all units are sold or one is the buyer’s. */
    async function buyAtStart(buyer: Person, n: number): Promise<void> {
      await atTime(sale.startsAt, (n / buyersCount - 0.5) * 2 * aroundMs);
      // Of those who come early, one of four never pays: the units come back while others still want them.
      const neverPays = n % 4 === 0 && n < buyersCount / 2;
      const method = neverPays ? null : 'Credit Card';
      const untilMs = sale.startsAt.getTime() + (neverPays ? aroundMs : longEnough * 1000);
      while (Date.now() < untilMs) {
        const answer = await buyOnce(buyer, wanted.offerId, sale.id, method);
        const isTooLate = answer?.__typename === 'OrderExpired';
        if ((answer?.order && !isTooLate) || answer?.isFinal) return;
        // Two holds of the buyer expired: no later attempt changes that.
        if (answer?.__typename === 'HoldLimitExceeded') return;
        await pause(1000 + Math.random() * 1000);
      }
    }
    async function buyAtEnd(buyer: Person, n: number): Promise<void> {
      await atTime(ending.endsAt, (n / late.length - 0.5) * 2 * aroundMs);
      await buyOnce(buyer, enough.offerId, ending.id, n % 4 === 0 ? null : 'Credit Card');
    }
    const regular = buyers.slice(0, 3 * regularUnits).map(async (buyer, n) => {
      await atTime(sale.startsAt, (n - regularUnits) * 200);
      return buyRegular(buyer, wanted.offerId);
    });
    // What nobody bought is for sale as soon as PostgreSQL’s clock has passed the end: nothing else happens then.
    const [first, second] = buyers as [Person, Person];
    expect(await buyRegular(first, enough.offerId)).toBe('InsufficientStock');
    const afterEnd = atTime(ending.endsAt, 1).then(() => buyRegular(second, enough.offerId));
    const started = atTime(sale.startsAt).then(atStart);
    await Promise.all([
      ...buyers.map(buyAtStart),
      ...late.map(buyAtEnd),
      // On a slow machine what was killed at the start may still be starting at the end.
      Promise.all([started, atTime(ending.endsAt)]).then(atEnd),
    ]);
    expect(await afterEnd).toBe('PaymentSuccess');
    const regularBuyers = (await Promise.all(regular)).filter((each) => each === 'PaymentSuccess');
    expect(regularBuyers.length).toBeLessThanOrEqual(regularUnits);

    await noReservationIsOverdue(warehouse, settleMs);
    const ofWanted = await eventually(
      () => unitsOf(sale),
      ({ held }) => held === 0,
      settleMs,
    );
    expect(ofWanted).toEqual({ allocated: allocation, held: 0, sold: allocation });
    const offerIds = [wanted.offerId, enough.offerId];
    for (const { id, startsAt, endsAt } of [sale, ending]) {
      const window = [id, startsAt, endsAt, salePrice, regularPrice, offerIds];
      expect((await orders.query(misplacedSql, window)).rows).toEqual([]);
    }
    // A key that is sent again, also after the end, gets the order that it got.
    for (const { buyer, input, answer } of sent.filter(({ answer }) => answer.order)) {
      expect((await send(buyer, input))?.order).toEqual(answer.order);
    }
    await system.expectInvariants(settleMs);
  }

  async function restart(name: ProcessName): Promise<void> {
    await system.kill(name);
    await system.start(name);
  }
  async function flushRedis(): Promise<void> {
    const redis = new Redis(system.redis.url);
    await redis.flushall();
    await redis.quit();
  }

  it(
    'sells its units to 2,000 buyers in its window only, and at its price',
    () => round({ buyersCount: 2000 }),
    roundMaxMs,
  );

  it(
    `does so while warehouse, shop and order are killed and Redis is flushed at the start and the end, rounds: ${roundsCount}`,
    async () => {
      const atStart = async () => {
        await flushRedis();
        for (const name of ['warehouse', 'shop', 'order'] as const) await restart(name);
      };
      const atEnd = async () => {
        await Promise.all((['order', 'warehouse', 'shop'] as const).map(restart));
      };
      for (let n = 0; n < roundsCount; n++) {
        await round({ buyersCount: killedBuyers, atStart, atEnd });
      }
    },
    roundsCount * roundMaxMs,
  );
});
