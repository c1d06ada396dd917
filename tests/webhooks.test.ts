import { randomUUID } from 'node:crypto';
import { rateLimitProfiles } from '../router/limits/rate-limits.js';
import {
  openPayments,
  postWebhook,
  sendWebhook,
  type TestPayments,
  type WebhookOf,
} from './harness/payments.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const reservationSeconds = 6;

describe('a webhook of the payment provider', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let customer: Person;
  let offerId: string;
  beforeAll(async () => {
    system = await startSystem({
      RESERVATION_MINUTES: String(reservationSeconds / 60),
      PAYMENT_TIMEOUT_SECONDS: '2',
    });
    payments = await openPayments(system);
    customer = await registerPerson(system);
    ({ offerId } = await openShop(system, await registerPerson(system, 'VENDOR'), [1000]));
  });
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  const eventCount = async (id: string) =>
    (await payments.order.query('select 1 from payment_event where id = $1', [id])).rowCount;
  const place = async (): Promise<{ id: string; expiresAt: string }> =>
    (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order;
  const challenge = async () => {
    const { id, expiresAt } = await place();
    const { payment } = (await pay(system, customer, id, 'Challenge Card')).data.payOrder;
    return { orderId: id, paymentId: payment.id as string, expiresAt: Date.parse(expiresAt) };
  };

  it('is recorded once, and reported as known when it comes again', async () => {
    const { paymentId } = await challenge();
    const webhook = { eventId: `evt_${randomUUID()}`, paymentId };
    const answer = (known: boolean) => ({ received: webhook.eventId, known });
    expect(await sendWebhook(system, webhook)).toEqual({ status: 200, body: answer(false) });
    expect((await sendWebhook(system, webhook)).body).toEqual(answer(true));
    expect(await eventCount(webhook.eventId)).toBe(1);
  });

  it.each<[string, string]>([
    ['an action that the customer has to do', 'requires_action'],
    ['a bank that decides later', 'pending'],
  ])('about %s says nothing new of a payment that waits for it', async (_, status) => {
    const { paymentId } = await challenge();
    const eventId = `evt_${randomUUID()}`;
    expect((await sendWebhook(system, { eventId, paymentId, status })).status).toBe(200);
    expect(await eventCount(eventId)).toBe(0);
  });

  it('about a payment of somebody else is not recorded', async () => {
    const eventId = `evt_${randomUUID()}`;
    expect((await sendWebhook(system, { eventId })).status).toBe(200);
    expect(await eventCount(eventId)).toBe(0);
  });

  it.each([
    ['forged', { secret: 'a secret that somebody guessed' }],
    ['too old', { ageSeconds: 301 }],
    ['from the future', { ageSeconds: -310 }],
    ['signed with a malformed signature', { signature: 't=1,v1=00' }],
  ])('that is %s is refused and not recorded', async (_, how) => {
    const eventId = `evt_${randomUUID()}`;
    expect((await sendWebhook(system, { eventId, ...how })).status).toBe(400);
    expect(await eventCount(eventId)).toBe(0);
  });

  it('that is unsigned, too large, or of another provider is refused', async () => {
    expect((await postWebhook(system, '{}')).status).toBe(400);
    expect((await postWebhook(system, 'x'.repeat(300_000))).status).toBe(413);
    const other = system.url.replace('/graphql', '/webhooks/payments/stripe');
    expect((await fetch(other, { method: 'POST', body: '{}' })).status).toBe(404);
    const order = `http://127.0.0.1:${system.ports.ports.order}/webhooks/payments/sandbox`;
    expect((await fetch(order, { method: 'POST', body: '{}' })).status).toBe(401);
  });

  it('is only a hint: one that says “captured” for a pending payment changes nothing', async () => {
    const { orderId, paymentId } = await challenge();
    expect((await sendWebhook(system, { paymentId })).status).toBe(200);
    await eventually(
      () => payments.order.query('select attempts from payment where id = $1', [paymentId]),
      ({ rows }) => rows[0].attempts > 0,
    );
    expect(await payments.orderRow(orderId)).toMatchObject({ status: 'PENDING' });
    expect(await payments.sandboxPaymentOf(paymentId)).toMatchObject({ status: 'requires_action' });
  });

  it('of 1,000 that are duplicated, reordered, forged or too old, at the time of expiry, completes each payment once', async () => {
    await payments.control({ delayMaxMs: 1500, copies: 4, reorder: true });
    const ours: Awaited<ReturnType<typeof challenge>>[] = [];
    for (let n = 0; n < 60; n += 10) {
      // Of one customer, at most 20 payments of a day may be undecided or declined.
      customer = await registerPerson(system);
      ours.push(...(await Promise.all(Array.from({ length: 10 }, challenge))));
    }
    let noise = 0;
    let refused = 0;
    const send = async (webhook: Parameters<typeof sendWebhook>[1], status: number) => {
      noise += 1;
      // A provider sends one again that found the system busy.
      const answer = await eventually(
        () => sendWebhook(system, webhook),
        (each) => each.status !== 503,
      );
      if (answer.status === status) refused += status === 400 ? 1 : 0;
      else throw new Error(`${answer.status} for ${JSON.stringify(webhook)}`);
    };
    const decide = async ({ paymentId, expiresAt }: (typeof ours)[number], n: number) => {
      const aroundMs = expiresAt + (Math.random() * 2 - 1) * 1000 - Date.now();
      await new Promise((resolve) => setTimeout(resolve, aroundMs));
      const eventId = `evt_${randomUUID()}`;
      await Promise.all([
        payments.act(paymentId, n % 5 === 0 ? 'refuse' : 'approve'),
        ...Array.from({ length: 9 }, () => send({ eventId, paymentId }, 200)),
        ...Array.from({ length: 4 }, () => send({ paymentId, secret: 'some other secret' }, 400)),
        ...Array.from({ length: 4 }, () => send({ paymentId, ageSeconds: 400 }, 400)),
      ]);
    };
    await Promise.all(ours.map(decide));
    // The outbox reports an expired reservation, maybe after its payment was voided.
    const unfinished = `select o.id from customer_order o join payment p on p.order_id = o.id
      where o.status = 'PENDING' or p.status in ('PENDING', 'AUTHORIZED')`;
    await eventually(
      async () => (await payments.order.query(unfinished)).rows,
      ({ length }) => length === 0,
      120_000,
    );
    const sandboxPayments = new Map(
      (await payments.sandboxPayments()).map((inSandbox) => [inSandbox.key, inSandbox]),
    );
    const ends: Record<string, number> = {};
    for (const { orderId, paymentId } of ours) {
      const [payment] = await payments.paymentsOf(orderId);
      const { status } = await payments.orderRow(orderId);
      const inSandbox = sandboxPayments.get(paymentId);
      const end = `${status} ${payment.status} ${inSandbox?.status} ${inSandbox?.refunds.length}`;
      ends[end] = (ends[end] ?? 0) + 1;
    }
    const allowed = [
      'CONFIRMED COMPLETED captured 0',
      'CANCELLED VOIDED canceled 0',
      'CANCELLED FAILED canceled 0',
      'CANCELLED FAILED declined 0',
    ];
    expect(Object.keys(ends).filter((end) => !allowed.includes(end))).toEqual([]);
    expect(noise).toBe(60 * 17);
    expect(refused).toBe(60 * 8);
    // Those that say nothing new are not recorded.
    const { rows } = await payments.order.query(
      'select count(*)::int as events from payment_event',
    );
    expect(rows[0].events).toBeGreaterThan(0);
    await system.expectInvariants();
  }, 300_000);
});

describe('the limit of an address', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  const ip = rateLimitProfiles.standard.ip.points;
  const [provider, customer, scanner] = [1, 2, 3].map((n) => `198.51.100.${n}`) as [
    ...[string, string, string],
  ];
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const startStandardRouter = () => startRouterBeside(system, { TRUST_PROXY: 'loopback' }, { ip });
  type Router = Awaited<ReturnType<typeof startStandardRouter>>;
  /** @returns the statuses of that many webhooks, sent 50 at a time */
  async function send(router: Router, count: number, webhook: WebhookOf, address: string) {
    const statuses: number[] = [];
    for (let sent = 0; sent < count; sent += 50) {
      const batch = Array.from({ length: Math.min(50, count - sent) }, () =>
        sendWebhook({ url: router.graphqlUrl, secrets: system.secrets }, webhook, from(address)),
      );
      statuses.push(...(await Promise.all(batch)).map(({ status }) => status));
    }
    return statuses;
  }

  it('does not count webhooks that are accepted: 2,000 of one address are, at the standard limits', async () => {
    const router = await startStandardRouter();
    expect(await send(router, 2000, {}, provider)).toEqual(Array(2000).fill(200));
  });

  it('refuses the sender of forged ones after some dozens, and nobody else', async () => {
    const router = await startStandardRouter();
    const forged = { secret: 'a secret that somebody guessed' };
    const windowMs = 10_000;
    let attacker = '';
    let statuses: number[] = [];
    // A slow machine may need more than one window of the limit for so many: then for another address.
    for (let attempt = 1; attempt <= 5; attempt++) {
      const startedMs = performance.now();
      attacker = `198.51.100.${100 + attempt}`;
      statuses = [];
      for (let n = 0; n < 60; n++) statuses.push(...(await send(router, 1, forged, attacker)));
      if (performance.now() - startedMs < windowMs) break;
    }
    const answered = statuses.indexOf(429);
    expect(answered).toBeGreaterThanOrEqual(24);
    expect(answered).toBeLessThanOrEqual(48);
    const limited = statuses.length - answered;
    expect(statuses).toEqual([...Array(answered).fill(400), ...Array(limited).fill(429)]);
    const ask = (address: string) =>
      postGraphQL(router.graphqlUrl, '{ serverTime }', {}, undefined, from(address));
    expect((await ask(attacker)).status).toBe(429);
    expect((await ask(customer)).status).toBe(200);
    expect(await send(router, 50, {}, provider)).toEqual(Array(50).fill(200));
  });

  it('counts what is no webhook on their path', async () => {
    const router = await startStandardRouter();
    const url = router.graphqlUrl.replace('/graphql', '/webhooks/payments/sandbox');
    const statuses: number[] = [];
    for (let n = 0; n <= ip; n++) {
      statuses.push((await fetch(url, { headers: from(scanner) })).status);
    }
    expect(new Set(statuses.slice(0, -1))).toEqual(new Set([405]));
    expect(statuses.at(-1)).toBe(429);
  });
});
