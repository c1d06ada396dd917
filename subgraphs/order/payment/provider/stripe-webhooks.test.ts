import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { signatureOf } from '../../../../tests/harness/stripe/webhooks.js';
import {
  type StripeSetup,
  startWithProvider,
} from '../../../../tests/harness/stripe/with-provider.js';
import { close, listen } from '../../../shared/http/server.js';
import { type ProviderEvent, WebhookRefused } from './payment-provider.js';

let stripe: StripeSetup;
beforeEach(async () => {
  stripe = await startWithProvider();
});
afterEach(() => stripe.stop());

describe('Stripe sends a webhook', () => {
  const secret = () => stripe.settings.webhookSecret;
  const parse = (event: unknown, { by = secret(), ageSeconds = 0 } = {}) => {
    const body = JSON.stringify(event);
    const header = signatureOf(body, by, Math.floor(Date.now() / 1000) - ageSeconds);
    return stripe.provider.parseWebhook({ 'stripe-signature': header }, Buffer.from(body));
  };
  const about = (object: unknown) => ({ id: 'evt_1', object: 'event', data: { object } });
  const intent = (status: string) =>
    about({ object: 'payment_intent', id: 'pi_1', status, metadata: { payment_id: 'ours' } });

  it.each([
    ['requires_confirmation', 'unconfirmed'],
    ['requires_action', 'actionRequired'],
    ['processing', 'pending'],
    ['requires_capture', 'authorized'],
    ['succeeded', 'captured'],
    ['requires_payment_method', 'declined'],
    ['canceled', 'canceled'],
    ['of_the_future', null],
  ])('about a payment that is %s, as %s', (status, shown) => {
    expect(parse(intent(status))).toEqual({
      eventId: 'evt_1',
      paymentId: 'ours',
      transactionId: 'pi_1',
      status: shown,
    });
  });

  it('about a charge, a refund or a dispute, with the payment', () => {
    const expected = { eventId: 'evt_1', paymentId: null, transactionId: 'pi_1', status: null };
    for (const object of ['charge', 'refund', 'dispute']) {
      for (const payment_intent of ['pi_1', { object: 'payment_intent', id: 'pi_1' }]) {
        const event = about({ object, id: 'x_1', metadata: {}, payment_intent, status: 'failed' });
        const refund = { id: 'x_1', status: 'failed' };
        expect(parse(event)).toEqual({ ...expected, ...(object === 'refund' && { refund }) });
      }
    }
  });

  it.each([
    ['another object', about({ object: 'payout', id: 'po_1' })],
    ['an object that only names a payment', about({ object: 'review', payment_intent: 'pi_1' })],
    ['a charge without a payment', about({ object: 'charge', payment_intent: null })],
    ['nothing', { id: 'evt_1', object: 'v2.core.event', data: null }],
    ['no data', { id: 'evt_1', object: 'v2.core.event' }],
  ])('about %s, which is no error', (_what, event) => {
    const nothing = { paymentId: null, transactionId: null, status: null };
    expect(parse(event)).toEqual({ eventId: 'evt_1', ...nothing });
  });

  it('about a payment of somebody else', () => {
    const foreign = { object: 'payment_intent', id: 'pi_2', status: 'succeeded', metadata: {} };
    expect(parse(about(foreign))).toMatchObject({ paymentId: null, transactionId: 'pi_2' });
  });

  it('and one that is forged, old, not signed or no JSON is refused', () => {
    const event = intent('succeeded');
    expect(() => parse(event, { by: 'whsec_of_somebody' })).toThrow(WebhookRefused);
    expect(parse(event, { ageSeconds: 290 }).eventId).toBe('evt_1');
    expect(() => parse(event, { ageSeconds: 310 })).toThrow(WebhookRefused);
    const { provider } = stripe;
    expect(() => provider.parseWebhook({}, Buffer.from('{}'))).toThrow(WebhookRefused);
    const headers = { 'stripe-signature': signatureOf('{', secret()) };
    expect(() => provider.parseWebhook(headers, Buffer.from('{'))).toThrow(WebhookRefused);
  });

  it('for every change, signed', async () => {
    const { provider, server, captured, newRefund } = stripe;
    const received: ProviderEvent[] = [];
    const receiver = createServer(async (request, response) => {
      const body = Buffer.from(await text(request));
      received.push(provider.parseWebhook(request.headers, body));
      response.end();
    });
    server.webhooks.settings.url = await listen(receiver, '127.0.0.1', 0);
    const payment = await captured();
    await provider.refund(newRefund(payment, '1.00'));
    server.openDispute(payment.transactionId);
    await server.webhooks.whenSent();
    await close(receiver);
    const { paymentId, transactionId } = payment;
    const ofPayment = ['unconfirmed', 'authorized', 'captured'];
    const expected = [
      ...ofPayment.map((status) => ({ paymentId, transactionId, status })),
      // the refund, the dispute, and the funds that it withdrew
      ...Array(3).fill({ paymentId: null, transactionId, status: null }),
    ];
    expect(received).toHaveLength(expected.length);
    for (const event of expected)
      expect(received).toContainEqual({ ...event, eventId: expect.any(String) });
  });
});
