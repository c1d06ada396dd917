import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { seedId } from '../dev/seed/ids.js';
import { address, openShop, type Person, registerPerson } from './harness/people.js';
import { type ProcessName, startProcessSystem } from './harness/process-system.js';
import { retryUntil } from './harness/retry.js';
import { noReservationIsOverdue } from './harness/wait.js';

const long = process.env.LONG === '1';
const customersCount = 30;
const roundMs = 2500;
// A checkout that stopped half-way is abandoned 15 s after it began, by a check every 5 s.
const settleMs = 30_000;
const purchaseLimit = 2;
type Victim = ProcessName | 'redis' | 'redis demoted' | 'lock nodes';
const victims: Victim[] = [
  'order',
  'warehouse',
  'redis',
  'redis demoted',
  'lock nodes',
  'user',
  'router',
  'shop',
  'sandbox',
];
// Each victim once, or twenty times.
const roundsCount = long ? 20 * victims.length : victims.length;
// How long shopping goes on without what cannot be started again at once.
const awayMs = 1000;

type System = Awaited<ReturnType<typeof startProcessSystem>>;
interface Answer {
  readonly __typename: string;
  readonly order?: { readonly id: string };
}

const addressMutation = 'mutation ($input: AddAddressInput!) { addAddress(input: $input) { id } }';
const addMutation =
  'mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }';
const checkoutMutation = `mutation ($input: CheckoutInput!) {
  checkout(input: $input) { __typename
    ... on CheckoutSuccess { order { id } } ... on PaymentSuccess { order { id } }
    ... on PaymentDeclined { order { id } } } }`;
const payMutation = `mutation ($input: PayOrderInput!) { payOrder(input: $input) { __typename } }`;

/** A customer with a saved address, which a checkout has to query from the user subgraph. */
interface Customer extends Person {
  readonly addressId: string;
}

describe('a sale during which parts of the system are killed', () => {
  let system: System;
  const people: Customer[] = [];
  const unexpected: unknown[] = [];
  const acknowledged = new Set<string>();
  const answers: Record<string, number> = {};
  let limitedOfferId: string;
  let database: pg.Client;
  let warehouse: pg.Client;
  beforeAll(async () => {
    system = await startProcessSystem({ RESERVATION_MINUTES: '0.1', PAYMENT_TIMEOUT_SECONDS: '2' });
    database = new pg.Client({ connectionString: system.databases.order });
    await database.connect();
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await warehouse.connect();
    const vendor = await registerPerson(system, 'VENDOR');
    const price = '0.10';
    ({ offerId: limitedOfferId } = await openShop(system, vendor, [500], price, purchaseLimit));
    for (let n = 0; n < customersCount; n++) {
      const person = await registerPerson(system);
      const { data } = await system.graphql(addressMutation, { input: address }, person.token);
      people.push({ ...person, addressId: data.addAddress.id });
    }
  }, 240_000);
  afterAll(async () => {
    await Promise.all([database.end(), warehouse.end()]);
    await system.stop();
  }, 60_000);

  /** Buys again and again, from two shops, each time in another way. */
  async function shopUntil(person: Customer, n: number, untilMs: number): Promise<void> {
    const send = async (mutation: string, input: object) => {
      const ask = () => system.graphql(mutation, { input }, person.token);
      const reply = await retryUntil(ask, Date.now() + 60_000);
      if (!reply || reply.errors) unexpected.push(reply?.errors ?? `no answer to ${mutation}`);
      const answer = Object.values(reply?.data ?? {})[0] as Answer | undefined;
      if (answer) answers[answer.__typename] = (answers[answer.__typename] ?? 0) + 1;
      return answer;
    };
    const place = async (more: object) => {
      const where = n % 2 ? { shippingAddress: address } : { addressId: person.addressId };
      const input = { idempotencyKey: randomUUID(), ...where, ...more };
      const answer = await send(checkoutMutation, input);
      if (answer?.order) acknowledged.add(answer.order.id);
      return answer;
    };
    const placeAndPay = async (more: object) => {
      const placed = await place(more);
      if (placed?.__typename !== 'CheckoutSuccess') return;
      await send(payMutation, { orderId: placed.order?.id, idempotencyKey: randomUUID() });
    };
    for (let turn = 0; Date.now() < untilMs; turn++) {
      const items = [
        { offerId: seedId('offer', n % 3), quantity: 1 },
        { offerId: seedId('offer', 3 + (turn % 3)), quantity: 1 },
      ];
      const ways = [
        () => placeAndPay({ items }),
        () => place({ items, paymentMethod: 'Credit Card' }),
        async () => {
          for (const input of items) await send(addMutation, input);
          await placeAndPay({});
        },
        () => placeAndPay({ items: [{ offerId: limitedOfferId, quantity: 1 }] }),
        () => place({ items, paymentMethod: 'Declined Card' }),
        () => place({ items }),
      ];
      await ways[(n + turn) % ways.length]?.();
    }
  }

  async function killAndRestart(victim: Victim): Promise<void> {
    const whileAway = () => new Promise((resolve) => setTimeout(resolve, awayMs));
    switch (victim) {
      case 'redis':
        await system.redis.kill();
        return system.redis.restart();
      case 'redis demoted':
        await system.redis.demote();
        await whileAway();
        return system.redis.restart(); // another primary, at the same address
      case 'lock nodes':
        await system.lockRedis.kill();
        await whileAway();
        return system.lockRedis.restart();
    }
    await system.kill(victim);
    await system.start(victim);
  }

  it(
    `sells nothing twice and loses nothing in ${roundsCount} rounds`,
    async () => {
      for (let round = 0; round < roundsCount; round++) {
        const untilMs = Date.now() + roundMs;
        const shopping = people.map((person, n) => shopUntil(person, n, untilMs));
        await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 700));
        const victim = victims[round % victims.length] as Victim;
        await killAndRestart(victim);
        await Promise.all(shopping);
        if (victim === 'warehouse') await noReservationIsOverdue(warehouse, settleMs);
        await system.expectInvariants(settleMs);
      }
      expect(unexpected).toEqual([]);
      const expected = ['Cart', 'CheckoutSuccess', 'PaymentSuccess', 'PaymentDeclined'];
      expect(Object.keys(answers)).toEqual(expect.arrayContaining(expected));
      expect(answers.PurchaseLimitExceeded).toBeGreaterThan(0);
      const { rows: lost } = await database.query(
        `select order_id from unnest($1::uuid[]) as order_id
         where not exists (select from customer_order where id = order_id)`,
        [[...acknowledged]],
      );
      expect(lost).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(roundsCount);
      const { rows: bought } = await database.query<{ units: number }>(
        `select sum(i.quantity)::int as units from customer_order o
           join shop_order s on s.order_id = o.id join order_item i on i.shop_order_id = s.id
         where o.status <> 'CANCELLED' and i.offer_id = $1 group by o.customer_id`,
        [limitedOfferId],
      );
      expect(Math.max(...bought.map(({ units }) => units))).toBe(purchaseLimit);
    },
    roundsCount * 120_000,
  );
});
