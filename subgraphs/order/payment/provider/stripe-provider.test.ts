import {
  collect,
  failureOf,
  kindOf,
  rejectionOf,
  type StripeSetup,
  startWithProvider,
} from '../../../../tests/harness/stripe/with-provider.js';

let stripe: StripeSetup;
beforeEach(async () => {
  stripe = await startWithProvider();
});
afterEach(() => stripe.stop());

const lastRequest = () => stripe.server.requests.at(-1) as (typeof stripe.server.requests)[number];
const bodyOf = (at = -1) => Object.fromEntries(stripe.server.requests.at(at)?.form ?? []);

describe('Stripe creates a payment', () => {
  it('unconfirmed, in minor units, with its method and manual capture', async () => {
    const { provider, server, newPayment } = stripe;
    const payment = newPayment();
    const { status, transactionId } = await provider.create(payment);
    expect(status).toBe('unconfirmed');
    expect(server.attempts).toEqual([]);
    expect(server.intents.get(transactionId)?.status).toBe('requires_confirmation');
    expect(bodyOf()).toEqual({
      amount: '1990',
      currency: 'usd',
      payment_method: 'pm_card_visa',
      capture_method: 'manual',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
      'metadata[payment_id]': payment.paymentId,
    });
    expect(lastRequest().key).toBe(`${payment.paymentId}:0`);
  });

  it('once for each attempt, also if an answer is lost', async () => {
    const { provider, impatient, server, newPayment } = stripe;
    const payment = newPayment();
    server.failNext('done, no response');
    expect(await failureOf(impatient.create(payment))).toBe('unknown');
    const first = await provider.create(payment);
    expect(await provider.create(payment)).toEqual(first);
    expect(server.intents.all()).toHaveLength(1);
  });

  it('with the next attempt only, after a fault: Stripe repeats it for the key', async () => {
    const { provider, server, newPayment } = stripe;
    const payment = newPayment();
    server.failNext('500');
    for (let call = 0; call < 3; call++) {
      expect(await failureOf(provider.create(payment))).toBe('key used up');
    }
    expect(lastRequest().isReplayed).toBe(true);
    expect(server.intents.all()).toEqual([]);
    expect((await provider.create({ ...payment, attempt: 1 })).status).toBe('unconfirmed');
    server.expireKeys();
    expect((await provider.create(payment)).status).toBe('unconfirmed');
  });

  it('not while an earlier request of the attempt is executed', async () => {
    const { provider, server, newPayment } = stripe;
    const payment = newPayment();
    const hold = server.holdNext();
    const first = provider.create(payment);
    await hold.arrived;
    expect(await failureOf(provider.create(payment))).toBe('not done');
    hold.release();
    expect(await provider.create(payment)).toEqual(await first);
    expect(server.intents.all()).toHaveLength(1);
  });

  it.each([
    ['of an unknown method, which is named', ['Credit Card'], /'Credit Card'.*resource_missing/],
    ['in an unknown currency', ['pm_card_visa', '5.00', 'XXX'], /Invalid currency: xxx/],
    ['that is too small', ['pm_card_visa', '0.10'], /amount_too_small/],
    ['that is too large', ['pm_card_visa', '1000000.00'], /amount_too_large/],
    ['with decimals that its currency has not', ['pm_card_visa', '0.50', 'ISK'], /decimals/],
  ] as const)('never %s', async (_what, given, message) => {
    const { provider, server, newPayment } = stripe;
    const payment = newPayment(...(given as readonly string[]));
    const kind = given[0] === 'Credit Card' ? 'unknown method' : 'refused';
    for (let call = 0; call < 2; call++) {
      const refusal = await rejectionOf(provider.create(payment));
      expect(kindOf(refusal)).toBe(kind);
      expect(refusal.message).toMatch(message);
    }
    expect(server.intents.all()).toEqual([]);
  });

  it.each([
    ['JPY', '500'],
    ['ISK', '500'],
    ['KWD', '500.000'],
  ])('in %s, as Stripe writes it', async (currency, amount) => {
    const { created, provider, server } = stripe;
    const { transactionId } = await created('pm_card_visa', '500.00', currency);
    expect(server.intents.get(transactionId)?.currency).toBe(currency.toLowerCase());
    const [listed] = await collect(provider.listPayments(stripe.periodUntil(60_000)));
    expect(listed).toMatchObject({ amount, currencyCode: currency });
  });

  it('not with the key of another payment', async () => {
    const { provider, server, newPayment } = stripe;
    const payment = newPayment();
    await provider.create(payment);
    const refusal = await rejectionOf(provider.create({ ...payment, amount: '20.00' }));
    expect(kindOf(refusal)).toBe('refused');
    expect(server.intents.all()).toHaveLength(1);
  });
});

describe('Stripe confirms a payment', () => {
  it('without a method and without a key that is repeated', async () => {
    const { provider, server, created } = stripe;
    const payment = await created();
    expect(await provider.confirm(payment)).toMatchObject({ status: 'authorized' });
    const [first] = server.requests.slice(-1);
    expect(bodyOf()).toEqual({});
    await provider.confirm(payment);
    const again = server.requests.findLast(({ path }) => path.endsWith('/confirm'));
    expect(again).not.toBe(first);
    expect(again?.key).not.toBe(first?.key);
  });

  it.each([
    ['pm_card_chargeDeclined', 'GENERIC', 'Your card was declined.'],
    [
      'pm_card_chargeDeclinedInsufficientFunds',
      'INSUFFICIENT_FUNDS',
      'Your card has insufficient funds.',
    ],
    ['pm_declined_lost_card', 'GENERIC', 'Your card was declined.'],
  ])(
    'or reports why it was declined, and asks no bank again: %s',
    async (method, declineCode, reason) => {
      const { provider, server, created } = stripe;
      const payment = await created(method);
      const { transactionId } = payment;
      const declined = { status: 'declined', transactionId, declineCode, reason };
      for (let call = 0; call < 3; call++)
        expect(await provider.confirm(payment)).toEqual(declined);
      expect(await provider.lookUp(transactionId)).toEqual(declined);
      expect(server.attempts).toEqual([{ intentId: transactionId, method, outcome: 'declined' }]);
    },
  );

  it('though the answer is lost: it is looked up, and asks no bank again', async () => {
    const { provider, impatient, server, created } = stripe;
    for (const method of ['pm_card_visa', 'pm_card_chargeDeclined']) {
      const payment = await created(method);
      server.failNext('done, no response');
      expect(await failureOf(impatient.confirm(payment))).toBe('unknown');
      const found = await provider.lookUp(payment.transactionId);
      expect(found.status).toBe(method === 'pm_card_visa' ? 'authorized' : 'declined');
      expect(await provider.confirm(payment)).toEqual(found);
    }
    expect(server.attempts).toHaveLength(2);
  });

  it('later than the answer was awaited, and not while the bank is asked', async () => {
    const { provider, impatient, server, created } = stripe;
    const payment = await created();
    const hold = server.holdNext(/confirm$/);
    expect(await failureOf(impatient.confirm(payment))).toBe('unknown');
    expect((await provider.lookUp(payment.transactionId)).status).toBe('unconfirmed');
    expect(await failureOf(provider.confirm(payment))).toBe('not done');
    expect(await failureOf(provider.cancel(payment.transactionId))).toBe('not done');
    hold.release();
    expect((await provider.confirm(payment)).status).toBe('authorized');
    expect(server.attempts).toHaveLength(1);
  });

  it('once the customer acted, with the secret of the payment', async () => {
    const { provider, server, confirmed } = stripe;
    for (const [choice, status] of [
      ['approve', 'authorized'],
      ['refuse', 'declined'],
    ] as const) {
      const { transactionId } = await confirmed('pm_card_authenticationRequired');
      const clientSecret = server.intents.get(transactionId)?.client_secret;
      expect(clientSecret).toMatch(/secret/);
      expect(await provider.lookUp(transactionId)).toEqual({
        status: 'actionRequired',
        transactionId,
        clientSecret,
      });
      server.completeAction(transactionId, choice);
      expect((await provider.lookUp(transactionId)).status).toBe(status);
    }
    expect(server.attempts).toHaveLength(1);
  });

  it('once the bank decided', async () => {
    const { provider, server, confirmed } = stripe;
    for (const [choice, status] of [
      ['approve', 'authorized'],
      ['decline', 'declined'],
    ] as const) {
      const { transactionId } = await confirmed('pm_card_processing');
      expect((await provider.lookUp(transactionId)).status).toBe('pending');
      server.decide(transactionId, choice);
      expect((await provider.lookUp(transactionId)).status).toBe(status);
    }
  });

  it('by another card that the customer chose after a decline, unless it was canceled', async () => {
    const { provider, server, confirmed } = stripe;
    const other = await confirmed('pm_card_chargeDeclined');
    server.payInBrowser(other.transactionId, 'pm_card_visa');
    expect((await provider.lookUp(other.transactionId)).status).toBe('authorized');
    const ended = await confirmed('pm_card_chargeDeclined');
    await provider.cancel(ended.transactionId);
    expect(() => server.payInBrowser(ended.transactionId, 'pm_card_visa')).toThrow('canceled');
  });
});

describe('Stripe ends a payment', () => {
  it('as lapsed if it is not captured within 7 days, not if it is canceled', async () => {
    const { provider, server, confirmed, captured } = stripe;
    const [left, ended, taken] = [await confirmed(), await confirmed(), await captured()];
    const canceled = { status: 'canceled', transactionId: ended.transactionId, hasLapsed: false };
    expect(await provider.cancel(ended.transactionId)).toEqual(canceled);
    server.advance(7 * 24 * 3600 * 1000 - 10_000);
    expect((await provider.lookUp(left.transactionId)).status).toBe('authorized');
    server.advance(10_000);
    const { transactionId } = left;
    expect(await provider.capture(left)).toEqual({
      status: 'canceled',
      transactionId,
      hasLapsed: true,
    });
    expect(await provider.lookUp(ended.transactionId)).toEqual(canceled);
    expect((await provider.lookUp(taken.transactionId)).status).toBe('captured');
  });

  it('by a capture that is made once, also if its answer is lost', async () => {
    const { provider, impatient, server, confirmed } = stripe;
    const payment = await confirmed();
    server.failNext('done, no response');
    expect(await failureOf(impatient.capture(payment))).toBe('unknown');
    expect((await provider.capture(payment)).status).toBe('captured');
    expect((await provider.cancel(payment.transactionId)).status).toBe('captured');
  });

  it('by somebody at the dashboard', async () => {
    const { provider, server, confirmed } = stripe;
    const [taken, ended] = [await confirmed(), await confirmed()];
    server.dashboard.capture(taken.transactionId, 500);
    server.dashboard.cancel(ended.transactionId);
    expect((await provider.cancel(taken.transactionId)).status).toBe('captured');
    expect((await provider.capture(ended)).status).toBe('canceled');
    const listed = await collect(provider.listPayments(stripe.periodUntil(60_000)));
    expect(listed.map(({ status, amount }) => [status, amount])).toEqual([
      ['canceled', '19.90'],
      ['captured', '5.00'],
    ]);
  });

  it('not while the bank decides', async () => {
    const { provider, server, confirmed } = stripe;
    const { transactionId } = await confirmed('pm_card_processing');
    const error = await rejectionOf(provider.cancel(transactionId));
    expect(kindOf(error)).toBe('unknown');
    expect(error.message).toMatch(/cannot be canceled while it is pending/);
    server.decide(transactionId, 'approve');
    expect((await provider.cancel(transactionId)).status).toBe('canceled');
  });

  it('and refuses one that it does not know', async () => {
    const { provider, newPayment } = stripe;
    const unknown = { ...newPayment(), transactionId: 'pi_unknown' };
    const calls = [() => provider.confirm(unknown), () => provider.lookUp('pi_unknown')];
    for (const call of calls) {
      const refusal = await rejectionOf(call());
      expect(kindOf(refusal)).toBe('refused');
      expect(refusal.message).toBe(
        "Stripe: No such payment_intent: 'pi_unknown' (resource_missing)",
      );
    }
  });
});
