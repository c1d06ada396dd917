import { createHmac, randomUUID } from 'node:crypto';
import { startStripeServer } from '../../../../tests/harness/stripe-server.js';
import { toMinorUnits } from './minor-units.js';
import { type PaymentRef, PermanentRefusal, WebhookRefused } from './payment-provider.js';
import { createStripeProvider } from './stripe-provider.js';

const webhookSecret = 'whsec_of_the_tests';

describe('Stripe as the payment provider', () => {
  let server: Awaited<ReturnType<typeof startStripeServer>>;
  let stripe: ReturnType<typeof createStripeProvider>;
  /** with a short timeout, for requests without a response */
  let impatient: typeof stripe;
  beforeAll(async () => {
    server = await startStripeServer();
    const settings = { secretKey: 'sk_test_x', webhookSecret, apiUrl: server.url };
    stripe = createStripeProvider(settings);
    impatient = createStripeProvider({ ...settings, timeoutMs: 500 });
  });
  afterAll(() => server.stop());

  const newPayment = (method = 'pm_card_visa', amount = '19.90', currencyCode = 'USD') => ({
    paymentId: randomUUID(),
    amount,
    currencyCode,
    method,
    transactionId: null,
  });
  const authorized = async (method?: string): Promise<PaymentRef> => {
    const payment = newPayment(method);
    const { transactionId } = await stripe.authorize(payment);
    return { ...payment, transactionId };
  };

  it('authorizes in minor units, with manual capture and the payment’s id as idempotency key', async () => {
    const payment = newPayment();
    expect(await stripe.authorize(payment)).toMatchObject({ status: 'authorized' });
    const { form, key } = server.requests.at(-1) as (typeof server.requests)[number];
    expect(key).toBe(payment.paymentId);
    expect(Object.fromEntries(form)).toMatchObject({
      amount: '1990',
      currency: 'usd',
      capture_method: 'manual',
      confirm: 'true',
      payment_method: 'pm_card_visa',
      'metadata[payment_id]': payment.paymentId,
    });
  });

  it('makes one payment, though requests are repeated after a fault or a timeout', async () => {
    const payment = newPayment();
    const before = server.intents.size;
    server.faults.push('500', 'no response', 'done, no response');
    for (let attempt = 0; attempt < 3; attempt++) {
      const failed = await impatient.authorize(payment).catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(Error);
      expect(failed).not.toBeInstanceOf(PermanentRefusal);
    }
    expect(await stripe.lookUp(payment)).toMatchObject({ status: 'authorized' });
    expect(await stripe.authorize(payment)).toMatchObject({ status: 'authorized' });
    expect(server.intents.size - before).toBe(1);
  });

  it('reports why a card was declined, and that a payment method is unknown', async () => {
    expect(await stripe.authorize(newPayment('pm_card_chargeDeclined'))).toMatchObject({
      status: 'declined',
      transactionId: expect.stringMatching(/^pi_/),
      reason: 'Your card was declined.',
    });
    expect(await stripe.authorize(newPayment('Credit Card'))).toEqual({
      status: 'declined',
      transactionId: null,
      reason: "No such PaymentMethod: 'Credit Card'",
    });
  });

  it('returns the secret with which the customer acts, and then the new state', async () => {
    const payment = await authorized('pm_card_authenticationRequired');
    const intent = server.intents.get(payment.transactionId as string);
    expect(await stripe.lookUp(payment)).toMatchObject({
      status: 'actionRequired',
      clientSecret: intent?.client_secret,
    });
    if (intent) intent.status = 'requires_capture';
    expect(await stripe.lookUp(payment)).toMatchObject({ status: 'authorized' });
    expect(await stripe.lookUp(newPayment())).toBeNull();
  });

  it('captures once, and never a voided payment', async () => {
    const payment = await authorized();
    server.faults.push('done, no response');
    await expect(impatient.capture(payment)).rejects.not.toBeInstanceOf(PermanentRefusal);
    await stripe.capture(payment);
    expect(await stripe.lookUp(payment)).toMatchObject({ status: 'captured' });
    await expect(stripe.void(payment)).rejects.toBeInstanceOf(PermanentRefusal);
    const other = await authorized();
    await stripe.void(other);
    await stripe.void(other);
    await expect(stripe.capture(other)).rejects.toBeInstanceOf(PermanentRefusal);
  });

  it('voids a payment that it could not void before', async () => {
    const payment = await authorized();
    const intent = server.intents.get(payment.transactionId as string);
    if (intent) intent.status = 'processing';
    await expect(stripe.void(payment)).rejects.toBeInstanceOf(PermanentRefusal);
    if (intent) intent.status = 'requires_capture';
    await stripe.void(payment);
    expect(await stripe.lookUp(payment)).toMatchObject({ status: 'voided' });
  });

  it('accepts a capture that was made before under another key', async () => {
    const payment = await authorized();
    await stripe.capture(payment);
    const [, copy] = [payment, { ...payment, paymentId: randomUUID() }];
    await stripe.capture(copy);
    expect(await stripe.lookUp(payment)).toMatchObject({ status: 'captured' });
  });

  it('sends a refund once, though the request is repeated', async () => {
    const { transactionId } = await authorized();
    const refund = { refundId: randomUUID(), transactionId: transactionId as string };
    const order = { ...refund, amount: '5.05', currencyCode: 'USD' };
    server.faults.push('done, no response');
    await expect(impatient.refund(order)).rejects.toThrow();
    await stripe.refund(order);
    await stripe.refund(order);
    expect(server.refunds).toEqual([{ amount: 505 }]);
  });

  it('sends a refund once, though Stripe no longer knows the idempotency key', async () => {
    const { transactionId } = await authorized();
    const refund = { refundId: randomUUID(), transactionId: transactionId as string };
    const order = { ...refund, amount: '5.05', currencyCode: 'USD' };
    const before = server.refunds.length;
    server.faults.push('done, no response');
    await expect(impatient.refund(order)).rejects.toThrow();
    server.expireKeys();
    await stripe.refund(order);
    await stripe.refund({ ...order, refundId: randomUUID() });
    expect(server.refunds.length - before).toBe(2);
  });

  describe('parses webhooks', () => {
    const send = (object: object, secret = webhookSecret, ageSeconds = 0) => {
      const body = JSON.stringify({ id: 'evt_1', object: 'event', data: { object } });
      const t = Math.floor(Date.now() / 1000) - ageSeconds;
      const v1 = createHmac('sha256', secret).update(`${t}.${body}`).digest('hex');
      return stripe.parseWebhook({ 'stripe-signature': `t=${t},v1=${v1}` }, Buffer.from(body));
    };
    const intent = { object: 'payment_intent', id: 'pi_1', metadata: { payment_id: 'ours' } };

    it('with the payment’s id, ours or Stripe’s', () => {
      const about = { eventId: 'evt_1', paymentId: 'ours', transactionId: 'pi_1' };
      expect(send(intent)).toEqual(about);
      const charge = { object: 'charge', id: 'ch_1', metadata: {}, payment_intent: 'pi_1' };
      expect(send(charge)).toEqual({ ...about, paymentId: null });
    });

    it('and refuses them if forged, too old or not signed', () => {
      expect(() => send(intent, 'whsec_of_somebody')).toThrow(WebhookRefused);
      expect(() => send(intent, webhookSecret, 600)).toThrow(WebhookRefused);
      expect(() => stripe.parseWebhook({}, Buffer.from('{}'))).toThrow(WebhookRefused);
    });
  });
});

describe('an amount in the smallest unit of its currency', () => {
  it.each([
    ['19.90', 'USD', 1990],
    ['0.07', 'EUR', 7],
    ['999999999999.99', 'USD', 99_999_999_999_999],
    ['500.00', 'JPY', 500],
    ['1.25', 'KWD', 1250],
  ])('is exact: %s %s is %d', (amount, currency, units) => {
    expect(toMinorUnits(amount, currency)).toBe(units);
  });

  it('is refused if it has more decimals than the currency', () => {
    expect(() => toMinorUnits('19.90', 'JPY')).toThrow(PermanentRefusal);
  });
});
