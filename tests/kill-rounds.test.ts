import { randomUUID } from 'node:crypto';
import { seedId } from '../dev/seed/ids.js';
import { insist } from './harness/insist.js';
import { address, type Person } from './harness/people.js';
import { type ProcessName, startProcessSystem } from './harness/process-system.js';

const long = process.env.LONG === '1';
const roundsCount = long ? 20 : 3;
const customersCount = 30;
const roundMs = 2500;
// A checkout that stopped half-way is given up 15 s after it began, and looked for every 5 s.
const settleMs = 30_000;
const victims: Array<ProcessName | 'redis'> = [
  'order',
  'warehouse',
  'redis',
  'router',
  'shop',
  'sandbox',
];

type System = Awaited<ReturnType<typeof startProcessSystem>>;

const registerMutation = `mutation ($input: RegisterInput!) {
  register(input: $input) { ... on Session { accessToken user { id } } } }`;
const checkoutMutation = `mutation ($input: CheckoutInput!) {
  checkout(input: $input) { __typename ... on CheckoutSuccess { order { id } } } }`;
const payMutation = `mutation ($input: PayOrderInput!) { payOrder(input: $input) { __typename } }`;

describe('a sale during which parts of the system are killed', () => {
  let system: System;
  const people: Person[] = [];
  const unexpected: unknown[] = [];
  const acknowledged = new Set<string>();
  let orders = 0;
  beforeAll(async () => {
    system = await startProcessSystem({ RESERVATION_MINUTES: '0.05' });
    for (let n = 0; n < customersCount; n++) {
      const input = { name: 'K', email: `${randomUUID()}@example.com`, password: 'secret-1' };
      const { data } = await system.graphql(registerMutation, { input });
      people.push({ id: data.register.user.id, token: data.register.accessToken });
    }
  }, 120_000);
  afterAll(() => system.stop(), 60_000);

  /** One customer who buys from two shops again and again, and pays two times of three. */
  async function shopUntil(person: Person, n: number, untilMs: number): Promise<void> {
    const patienceMs = untilMs + 20_000;
    for (let turn = 0; Date.now() < untilMs; turn++) {
      const items = [
        { offerId: seedId('offer', n % 3), quantity: 1 },
        { offerId: seedId('offer', 3 + (turn % 3)), quantity: 1 },
      ];
      const input = { idempotencyKey: randomUUID(), items, shippingAddress: address };
      const placed = await insist(
        () => system.graphql(checkoutMutation, { input }, person.token),
        patienceMs,
      );
      if (!placed || placed.errors) unexpected.push(placed?.errors ?? 'no answer to a checkout');
      const result = placed?.data?.checkout;
      if (result?.__typename !== 'CheckoutSuccess') continue;
      orders += 1;
      acknowledged.add(result.order.id);
      if (turn % 3 === 2) continue;
      const payment = { orderId: result.order.id, idempotencyKey: randomUUID() };
      const paid = await insist(
        () => system.graphql(payMutation, { input: payment }, person.token),
        patienceMs,
      );
      if (!paid || paid.errors) unexpected.push(paid?.errors ?? 'no answer to a payment');
    }
  }

  async function killAndRestart(victim: ProcessName | 'redis'): Promise<void> {
    if (victim === 'redis') {
      await system.redis.kill();
      await system.redis.restart();
      return;
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
        await killAndRestart(victims[round % victims.length] as ProcessName);
        await Promise.all(shopping);
        await system.expectInvariants(settleMs);
      }
      expect(unexpected).toEqual([]);
      expect(orders).toBeGreaterThan(roundsCount);
      expect(acknowledged.size).toBe(orders);
    },
    roundsCount * 60_000,
  );
});
