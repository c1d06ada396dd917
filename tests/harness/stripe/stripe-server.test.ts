import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { close, listen } from '../../../subgraphs/shared/http/server.js';
import type { StripeEvent } from './webhooks.js';
import { collect, failureOf, type StripeSetup, startWithProvider } from './with-provider.js';

let stripe: StripeSetup;
beforeEach(async () => {
  stripe = await startWithProvider();
});
afterEach(() => stripe.stop());

interface Reply {
  readonly status: number;
  readonly isReplayed: boolean;
  readonly body: { readonly error?: Record<string, unknown>; readonly [name: string]: unknown };
}

/** Sends a request as it is, without the SDK; a form makes it a POST. */
async function send(path: string, form?: Record<string, string>, key?: string): Promise<Reply> {
  const response = await fetch(`${stripe.server.url}/v1/${path}`, {
    method: form ? 'POST' : 'GET',
    headers: { authorization: 'Bearer sk_test_x', ...(key && { 'idempotency-key': key }) },
    ...(form && { body: new URLSearchParams(form) }),
  });
  return {
    status: response.status,
    isReplayed: response.headers.has('idempotent-replayed'),
    body: (await response.json()) as Reply['body'],
  };
}

const payment = { amount: '1990', currency: 'usd', payment_method: 'pm_card_visa' };

describe('the double of Stripe', () => {
  it('repeats the first answer of a key, also a refusal, until the key expires', async () => {
    const refused = { ...payment, payment_method: 'Credit Card' };
    const first = await send('payment_intents', refused, 'a');
    expect(first).toMatchObject({
      status: 400,
      isReplayed: false,
      body: { error: { code: 'resource_missing', param: 'payment_method' } },
    });
    expect(await send('payment_intents', refused, 'a')).toEqual({ ...first, isReplayed: true });
    stripe.server.expireKeys();
    expect((await send('payment_intents', refused, 'a')).isReplayed).toBe(false);
  });

  it('repeats the old state of a payment that changed since', async () => {
    const { body } = await send('payment_intents', payment, 'a');
    await send(`payment_intents/${body.id}/confirm`, {});
    expect((await send('payment_intents', payment, 'a')).body).toEqual(body);
    expect((await send(`payment_intents/${body.id}`)).body.status).toBe('succeeded');
  });

  it('refuses a key for another request, and stores no conflict and no rate limit', async () => {
    const { server } = stripe;
    await send('payment_intents', payment, 'a');
    const other = await send('payment_intents', { ...payment, amount: '2000' }, 'a');
    expect(other).toMatchObject({ status: 400, body: { error: { type: 'idempotency_error' } } });
    server.failNext('429', 'lock_timeout');
    expect((await send('payment_intents', payment, 'b')).status).toBe(429);
    expect((await send('payment_intents', payment, 'b')).status).toBe(429);
    expect((await send('payment_intents', payment, 'b')).status).toBe(200);
    const hold = server.holdNext();
    const held = send('payment_intents', payment, 'c');
    await hold.arrived;
    expect(await send('payment_intents', payment, 'c')).toMatchObject({
      status: 409,
      body: { error: { code: 'idempotency_key_in_use' } },
    });
    hold.release();
    expect((await held).status).toBe(200);
    expect(server.intents.all()).toHaveLength(3);
  });

  it('limits reads and writes by themselves, with a token bucket', async () => {
    const { limits } = stripe.server;
    limits.writesPerSecond = 2;
    const statuses = async (count: number, path: string, form?: Record<string, string>) =>
      (await Promise.all(Array.from({ length: count }, () => send(path, form)))).map(
        ({ status }) => status,
      );
    const written = await statuses(5, 'payment_intents', payment);
    expect(written.filter((status) => status === 200)).toHaveLength(2);
    expect(written.filter((status) => status === 429)).toHaveLength(3);
    expect(await statuses(5, 'payment_intents')).toEqual(Array(5).fill(200));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await statuses(1, 'payment_intents', payment)).toEqual([200]);
    limits.readsPerSecond = 1;
    expect(await statuses(2, 'payment_intents')).toEqual([200, 429]);
  });

  it.each([
    ['in halves of a króna', { currency: 'isk', amount: '150' }, 'amount'],
    ['in fractions of a shilling', { currency: 'ugx', amount: '370050' }, 'amount'],
    ['in single fils', { currency: 'kwd', amount: '1255' }, 'amount'],
    ['in parts of a cent', { amount: '19.9' }, 'amount'],
    ['of nothing', { amount: '0' }, 'amount'],
    ['in an unknown currency', { currency: 'xxx' }, 'currency'],
    ['with an unknown parameter', { amuont: '1' }, 'amuont'],
  ])('refuses a payment %s', async (_what, form, param) => {
    const reply = await send('payment_intents', { ...payment, ...form });
    expect(reply).toMatchObject({ status: 400, body: { error: { param } } });
    expect(stripe.server.intents.all()).toEqual([]);
  });

  it('captures at once what is not created for a manual capture', async () => {
    const { body } = await send('payment_intents', { ...payment, confirm: 'true' });
    expect(body).toMatchObject({ status: 'succeeded', amount_received: 1990 });
  });

  it('shows lists late, by a time or by the last change, but a single object at once', async () => {
    const { provider, server, confirmed, newRefund, captured, periodUntil } = stripe;
    const first = await confirmed();
    server.listLag.missesLastChange = true;
    const states = async () =>
      (await collect(provider.listPayments(periodUntil(60_000)))).map(({ status }) => status);
    expect(await states()).toEqual(['unconfirmed']);
    expect((await provider.lookUp(first.transactionId)).status).toBe('authorized');
    server.listLag.missesLastChange = false;
    server.listLag.ms = 5000;
    const paid = await captured();
    await provider.refund(newRefund(paid));
    expect(await states()).toEqual([]);
    expect(await provider.refundsOf(paid.transactionId)).toEqual([]);
    server.advance(5000);
    expect(await states()).toEqual(['captured', 'authorized']);
    expect(await provider.refundsOf(paid.transactionId)).toHaveLength(1);
  });

  it('locks an intent for other changes while a test holds one', async () => {
    const { provider, server, confirmed } = stripe;
    const [one, other] = [await confirmed(), await confirmed()];
    const hold = server.holdNext(/capture$/);
    const held = provider.capture(one);
    await hold.arrived;
    expect(await failureOf(provider.cancel(one.transactionId))).toBe('not done');
    expect((await provider.lookUp(one.transactionId)).status).toBe('authorized');
    expect((await provider.capture(other)).status).toBe('captured');
    hold.release();
    expect((await held).status).toBe('captured');
  });

  it('stores nothing under the key of a request that met a lock', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const paid = await captured();
    const order = newRefund(paid, '2.00');
    const hold = server.holdNext(/refunds$/);
    const held = provider.refund(newRefund(paid, '1.00'));
    await hold.arrived;
    expect(await failureOf(provider.refund(order))).toBe('not done');
    hold.release();
    await held;
    expect((await provider.refund(order)).status).toBe('succeeded');
  });

  describe('posts events', () => {
    let received: StripeEvent[];
    let answer: number;
    let receiver: ReturnType<typeof createServer>;
    beforeEach(async () => {
      received = [];
      answer = 200;
      receiver = createServer(async (request, response) => {
        received.push((await json(request)) as StripeEvent);
        response.writeHead(answer).end();
      });
      stripe.server.webhooks.settings.url = await listen(receiver, '127.0.0.1', 0);
    });
    afterEach(() => close(receiver));
    const typesOf = (events: readonly StripeEvent[]) => events.map(({ type }) => type);

    it('of payments, refunds and disputes, each with the state at that time', async () => {
      const { provider, server, captured, confirmed, newRefund } = stripe;
      const paid = await captured();
      server.newRefunds.status = 'pending';
      const { id } = await provider.refund(newRefund(paid));
      server.settleRefund(id, 'failed');
      const disputeId = server.openDispute(paid.transactionId);
      server.setDispute(disputeId, 'under_review');
      server.setDispute(disputeId, 'won');
      const acted = await confirmed('pm_card_authenticationRequired');
      server.completeAction(acted.transactionId, 'refuse');
      await confirmed('pm_card_processing');
      const left = await confirmed();
      server.lapse(left.transactionId);
      const { webhooks } = server;
      await webhooks.whenSent();
      expect(typesOf(webhooks.events)).toEqual([
        'payment_intent.created',
        'payment_intent.amount_capturable_updated',
        'payment_intent.succeeded',
        'refund.created',
        'refund.updated',
        'refund.failed',
        'charge.dispute.created',
        'charge.dispute.funds_withdrawn',
        'charge.dispute.updated',
        'charge.dispute.closed',
        'charge.dispute.funds_reinstated',
        'payment_intent.created',
        'payment_intent.requires_action',
        'payment_intent.payment_failed',
        'payment_intent.created',
        'payment_intent.processing',
        'payment_intent.created',
        'payment_intent.amount_capturable_updated',
        'payment_intent.canceled',
      ]);
      expect(new Set(received.map(({ id: eventId }) => eventId)).size).toBe(webhooks.events.length);
      expect(webhooks.events[1]?.data.object).toMatchObject({ status: 'requires_capture' });
    });

    it('late, more than once or not at all, and again if they were not accepted', async () => {
      const { server, created } = stripe;
      const { settings, resend, whenSent, deliveries } = server.webhooks;
      settings.copies = 2;
      settings.delayMs = 100;
      await created();
      expect(received).toEqual([]);
      await whenSent();
      expect(received).toHaveLength(2);
      expect(received[0]).toEqual(received[1]);
      Object.assign(settings, { copies: 1, delayMs: 0, isSilent: true });
      await created();
      await whenSent();
      expect(received).toHaveLength(2);
      answer = 500;
      await resend();
      expect(deliveries.at(-1)?.status).toBe(500);
      answer = 200;
      await resend();
      await resend();
      expect(received).toHaveLength(4);
    });
  });
});
