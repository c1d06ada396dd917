import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { checkout, openShop, type Person, payOnce, registerPerson } from './harness/people.js';
import { retry } from './harness/retry.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { type StripeServer, startStripeServer } from './harness/stripe/stripe-server.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const card = 'pm_card_visa';
const timeLimitSeconds = 1;
const webhookSecret = 'whsec_of_the_tests';
const pendingOrPaid = expect.stringMatching(/^Payment(Pending|Success)$/);

/** The system with Stripe as its provider; each request goes through the router. */
describe('a payment by Stripe', () => {
  let stripe: StripeServer;
  let system: TestSystem;
  let order: pg.Client;
  let warehouse: pg.Client;
  let customer: Person;
  let vendor: Person;
  let offerId: string;
  beforeAll(async () => {
    stripe = await startStripeServer();
    system = await startSystem({
      PAYMENT_PROVIDER: 'stripe',
      STRIPE_SECRET_KEY: 'sk_test_x',
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      STRIPE_API_URL: stripe.url,
      PAYMENT_TIMEOUT_SECONDS: String(timeLimitSeconds),
    });
    const url = system.url.replace('/graphql', '/webhooks/payments/stripe');
    Object.assign(stripe.webhooks.settings, { url, secret: webhookSecret });
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await warehouse.connect();
    customer = await registerPerson(system);
    vendor = await registerPerson(system, 'VENDOR');
    ({ offerId } = await openShop(system, vendor, [1000]));
  }, 120_000);
  afterEach(async () => {
    Object.assign(stripe.webhooks.settings, { isSilent: false });
    Object.assign(stripe.newRefunds, { status: 'succeeded' });
    await stripe.webhooks.whenSent();
    await system.expectInvariants();
  });
  afterAll(async () => {
    await Promise.all([order.end(), warehouse.end()]);
    await system.stop();
    await stripe.stop();
  });

  const rows = async (query: string, values: unknown[]) => (await order.query(query, values)).rows;
  const place = async (): Promise<string> =>
    (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order.id;
  const pay = async (id: string, method = card, key?: string) => {
    const { data, errors } = await payOnce(system, customer, id, method, key);
    return data?.payOrder ?? errors?.[0];
  };
  const cancel = (id: string) =>
    system.graphql(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id },
      customer.token,
    );
  const orderOf = async (id: string) =>
    (
      await rows('select status, cancel_reason as reason from customer_order where id = $1', [id])
    )[0];
  const paymentsOf = (orderId: string) =>
    rows(
      `select id, status, failure, provider_transaction_id as intent from payment
       where order_id = $1 order by id`,
      [orderId],
    );
  const refundsOf = (orderId: string) =>
    rows(
      `select r.id, r.status, r.amount, r.failure_reason as reason, r.origin, r.provider_refund_id
       from refund r join payment p on p.id = r.payment_id where p.order_id = $1 order by r.id`,
      [orderId],
    );
  const intentsOf = (paymentId: string) =>
    stripe.intents.all().filter(({ metadata }) => metadata.payment_id === paymentId);
  const confirms = (intentId: string) =>
    stripe.requests.filter(({ path }) => path === `/v1/payment_intents/${intentId}/confirm`);
  const untilStatus = async (orderId: string, status: string) =>
    eventually(
      () => paymentsOf(orderId),
      (payments) => payments.at(-1)?.status === status,
      20_000,
    );
  const untilRefund = async (orderId: string, status: string) =>
    eventually(
      () => refundsOf(orderId),
      ([refund]) => refund?.status === status,
      20_000,
    );
  const isQuiet = () =>
    eventually(
      () => rows('select 1 from payment where next_attempt_at is not null', []),
      ({ length }) => length === 0,
      20_000,
    );
  const buy = async () => {
    const id = await place();
    expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
    const [{ id: paymentId, intent }] = await paymentsOf(id);
    return { id, paymentId, intent: intent as string };
  };
  const cancelAsShop = async (orderId: string) => {
    const [{ id }] = await rows('select id from shop_order where order_id = $1', [orderId]);
    const input = { id, reason: 'OTHER' };
    return system.graphql(cancelShopOrderMutation, { input }, vendor.token);
  };

  it('is created without a confirmation, then confirmed without a method, then captured', async () => {
    // A webhook has a worker continue the payment beside the request.
    Object.assign(stripe.webhooks.settings, { isSilent: true });
    const { id, paymentId, intent } = await buy();
    const ofIntent = stripe.requests.filter(
      ({ path, form }) => path.includes(intent) || form.get('metadata[payment_id]') === paymentId,
    );
    expect(ofIntent.map(({ method, path }) => `${method} ${path.replace(intent, 'ID')}`)).toEqual([
      'POST /v1/payment_intents',
      'POST /v1/payment_intents/ID/confirm',
      'POST /v1/payment_intents/ID/capture',
    ]);
    expect(ofIntent[0]?.form.get('confirm')).toBeNull();
    expect(ofIntent[1]?.form.get('payment_method')).toBeNull();
    expect(await orderOf(id)).toEqual({ status: 'CONFIRMED', reason: null });
  });

  it('replaces a key whose fault Stripe repeats for a day', async () => {
    const id = await place();
    stripe.failNextOf(/^POST \/v1\/payment_intents$/, '500 after execution');
    expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
    const [{ id: paymentId, intent }] = await paymentsOf(id);
    const keys = stripe.requests.flatMap(({ key, form }) =>
      form.get('metadata[payment_id]') === paymentId ? [key] : [],
    );
    expect(keys).toEqual([`${paymentId}:0`, `${paymentId}:1`]);
    // The other one is not confirmed, and charges nobody.
    expect(intentsOf(paymentId)).toHaveLength(2);
    const others = intentsOf(paymentId).filter((each) => each.id !== intent);
    expect(others.map(({ status }) => status)).toEqual(['requires_confirmation']);
  });

  it('that gets no answer to its creation charges nothing: a new key pays', async () => {
    const id = await place();
    stripe.failNextOf(/^POST \/v1\/payment_intents$/, 'done, no response');
    const key = randomUUID();
    const nothing = {
      message: 'Nothing was charged. Pay again with a new key.',
      extensions: { code: 'TRY_AGAIN' },
    };
    expect(await pay(id, card, key)).toMatchObject(nothing);
    expect(await pay(id, card, key)).toMatchObject(nothing);
    expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
    const [failed] = await paymentsOf(id);
    expect(failed).toMatchObject({ status: 'FAILED', failure: 'NOT_CHARGED', intent: null });
    expect(intentsOf(failed.id).map(({ status }) => status)).toEqual(['requires_confirmation']);
  });

  it('that gets no answer to its confirmation is looked up, and captured once', async () => {
    const id = await place();
    stripe.failNextOf(/confirm$/, 'done, no response');
    // A webhook may complete it while the answer is awaited.
    expect(await pay(id)).toMatchObject({ __typename: pendingOrPaid });
    const [{ intent }] = await untilStatus(id, 'COMPLETED');
    expect(confirms(intent)).toHaveLength(1);
    expect(stripe.attempts.filter((each) => each.intentId === intent)).toHaveLength(1);
  });

  it('whose confirmation never arrived is canceled by a worker, which never confirms', async () => {
    const id = await place();
    stripe.failNextOf(/confirm$/, 'no response');
    const key = randomUUID();
    expect(await pay(id, card, key)).toMatchObject({ __typename: 'PaymentPending' });
    const [{ intent }] = await untilStatus(id, 'FAILED');
    expect(confirms(intent)).toHaveLength(1);
    expect(stripe.intents.get(intent)?.status).toBe('canceled');
    expect(await pay(id, card, key)).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
  });

  it.each(['lock_timeout', '429'] as const)(
    'that meets a %s at its confirmation charges nothing',
    async (fault) => {
      const id = await place();
      stripe.failNextOf(/confirm$/, fault);
      expect(await pay(id)).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
      expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
    },
  );

  it.each(['500', 'done, no response', 'lock_timeout', '500 after execution'] as const)(
    'whose capture meets “%s” is captured once',
    async (fault) => {
      const id = await place();
      stripe.failNextOf(/capture$/, fault);
      expect(await pay(id)).toMatchObject({ __typename: pendingOrPaid });
      const [{ intent }] = await untilStatus(id, 'COMPLETED');
      expect(stripe.intents.get(intent)).toMatchObject({ status: 'succeeded' });
      expect(await orderOf(id)).toMatchObject({ status: 'CONFIRMED' });
    },
  );

  it('that is declined is canceled at Stripe, where it could be confirmed again', async () => {
    const id = await place();
    expect(await pay(id, 'pm_card_chargeDeclined')).toMatchObject({
      __typename: 'PaymentDeclined',
      code: 'GENERIC',
    });
    const [{ intent }] = await paymentsOf(id);
    await eventually(
      async () => stripe.intents.get(intent)?.status,
      (status) => status === 'canceled',
    );
    expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
  });

  describe('whose customer has to authenticate', () => {
    const begin = async () => {
      const id = await place();
      expect(await pay(id, 'pm_card_authenticationRequired')).toMatchObject({
        __typename: 'PaymentActionRequired',
      });
      const [{ intent }] = await paymentsOf(id);
      return { id, intent: intent as string };
    };

    it('is completed by the webhook', async () => {
      const { id, intent } = await begin();
      stripe.completeAction(intent, 'approve');
      await untilStatus(id, 'COMPLETED');
    });

    it('is canceled by whoever ends the order, so that it cannot be completed later', async () => {
      const { id, intent } = await begin();
      await cancel(id);
      await untilStatus(id, 'FAILED');
      expect(stripe.intents.get(intent)?.status).toBe('canceled');
    });

    it('that is declined, and tried with another card in the browser, is one declined attempt', async () => {
      const { id, intent } = await begin();
      stripe.payInBrowser(intent, 'pm_card_chargeDeclined');
      stripe.payInBrowser(intent, 'pm_card_authenticationRequired');
      expect(stripe.intents.get(intent)?.status).toBe('requires_action');
      await untilStatus(id, 'FAILED');
      expect(await paymentsOf(id)).toMatchObject([{ failure: 'DECLINED' }]);
      expect(stripe.intents.get(intent)?.status).toBe('canceled');
    });

    it('is voided, or refunded if it was captured first, if the customer completes it in the moment in which the order ends', async () => {
      for (let n = 0; n < 10; n++) {
        const { id, intent } = await begin();
        await Promise.all([
          retry(() => cancel(id)),
          (async () => {
            await new Promise((resolve) => setTimeout(resolve, n * 3));
            // Refused where the cancellation came first.
            try {
              stripe.completeAction(intent, 'approve');
            } catch {}
          })(),
        ]);
        expect(await orderOf(id)).toMatchObject({ status: 'CANCELLED' });
        const { status } = await eventually(
          async () => (await paymentsOf(id)).at(-1),
          (payment) => ['FAILED', 'VOIDED', 'REFUNDED'].includes(payment.status),
          20_000,
        );
        await isQuiet();
        const isCaptured = status === 'REFUNDED';
        expect(stripe.intents.get(intent)?.status).toBe(isCaptured ? 'succeeded' : 'canceled');
        const returned = stripe.refunds
          .all()
          .filter(({ payment_intent }) => payment_intent === intent);
        expect(returned.map(({ amount }) => amount)).toEqual(isCaptured ? [1000] : []);
      }
    });
  });

  it('is not confirmed once its order was cancelled while it was created', async () => {
    const id = await place();
    const held = stripe.holdNext(/^POST \/v1\/payment_intents$/);
    const paying = pay(id);
    await held.arrived;
    await cancel(id);
    held.release();
    expect(await paying).toMatchObject({ __typename: 'OrderNotPayable', status: 'CANCELLED' });
    await isQuiet();
    const [{ id: paymentId, status, failure }] = await paymentsOf(id);
    expect([status, failure]).toEqual(['FAILED', 'ORDER_ENDED']);
    expect(intentsOf(paymentId).map((intent) => intent.status)).toEqual(['canceled']);
    expect(confirms(intentsOf(paymentId)[0]?.id as string)).toEqual([]);
  });

  it('is voided if its order is cancelled while the confirmation is under way', async () => {
    const id = await place();
    const held = stripe.holdNext(/confirm$/);
    const paying = pay(id);
    await held.arrived;
    await cancel(id);
    expect(await orderOf(id)).toEqual({ status: 'CANCELLED', reason: 'BY_CUSTOMER' });
    held.release();
    expect(await paying).toMatchObject({ __typename: 'OrderNotPayable' });
    await isQuiet();
    const [{ intent, status }] = await paymentsOf(id);
    expect(['FAILED', 'VOIDED']).toContain(status);
    expect(stripe.intents.get(intent)?.status).toBe('canceled');
  });

  it('is not begun for an order whose hold ends before Stripe has to answer', async () => {
    const id = await place();
    await order.query(
      `update customer_order set expires_at = now() + $2 * interval '1 s' where id = $1`,
      [id, timeLimitSeconds * 0.9],
    );
    expect(await pay(id)).toMatchObject({ __typename: 'OrderExpired' });
    expect(await paymentsOf(id)).toEqual([]);
    await cancel(id);
  });

  it('of many customers, while Stripe is away for longer than their holds: no confirmation is sent', async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, place));
    await stripe.goDown();
    const answers = await Promise.all(ids.map((id) => pay(id)));
    for (const answer of answers)
      expect(answer).toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    await warehouse.query(
      `update reservation set expires_at = now() - interval '2 s' where order_id = any($1)`,
      [ids],
    );
    await eventually(
      () => Promise.all(ids.map(orderOf)),
      (orders) => orders.every(({ reason }) => reason === 'PAYMENT_TIMEOUT'),
    );
    const before = stripe.requests.length;
    await stripe.comeUp();
    await isQuiet();
    const sent = stripe.requests.slice(before).map(({ path }) => path);
    expect(sent.filter((path) => path.endsWith('/confirm'))).toEqual([]);
    for (const id of ids) expect(await orderOf(id)).toMatchObject({ status: 'CANCELLED' });
    // The circuit breaker lets a request through some seconds after the outage.
    const later = await place();
    const { data } = await retry(() => payOnce(system, customer, later, card));
    expect(data.payOrder).toMatchObject({ __typename: 'PaymentSuccess' });
  });

  describe('is changed at the dashboard', () => {
    it('and is voided there before the capture: the order and its units are cancelled', async () => {
      const id = await place();
      const held = stripe.holdNext(/capture$/);
      const paying = pay(id);
      await held.arrived;
      const [{ intent }] = await paymentsOf(id);
      stripe.dashboard.cancel(intent);
      held.release();
      await paying;
      await untilStatus(id, 'VOIDED');
      expect(await orderOf(id)).toEqual({ status: 'CANCELLED', reason: 'PAYMENT_FAILED' });
      const events = await rows(
        `select payload->>'reason' as reason from outbox
         where topic = 'order.units.cancelled' and payload->>'orderId' = $1`,
        [id],
      );
      expect(events).toEqual([{ reason: 'PAYMENT_FAILED' }]);
    });

    it('and lapses before the capture: likewise, and it FAILED', async () => {
      const id = await place();
      const held = stripe.holdNext(/capture$/);
      const paying = pay(id);
      await held.arrived;
      const [{ intent }] = await paymentsOf(id);
      stripe.lapse(intent);
      held.release();
      await paying;
      const [payment] = await untilStatus(id, 'FAILED');
      expect(payment).toMatchObject({ failure: 'LAPSED' });
      expect(await orderOf(id)).toEqual({ status: 'CANCELLED', reason: 'PAYMENT_FAILED' });
    });

    it('and captured before our commit: it is sold', async () => {
      const id = await place();
      expect(await pay(id, 'pm_card_authenticationRequired')).toMatchObject({
        __typename: 'PaymentActionRequired',
      });
      const [{ intent }] = await paymentsOf(id);
      Object.assign(stripe.webhooks.settings, { isSilent: true });
      stripe.completeAction(intent, 'approve');
      stripe.dashboard.capture(intent);
      await stripe.webhooks.resend();
      await untilStatus(id, 'COMPLETED');
      expect(await orderOf(id)).toMatchObject({ status: 'CONFIRMED' });
    });

    it('and refunded there: it is a refund of the order, which is not cancelled', async () => {
      const { id, intent } = await buy();
      stripe.dashboard.refund(intent, 400);
      await untilRefund(id, 'COMPLETED');
      expect(await refundsOf(id)).toMatchObject([{ amount: '4.00', origin: 'DASHBOARD' }]);
      expect(await orderOf(id)).toMatchObject({ status: 'CONFIRMED' });
      await cancelAsShop(id);
      await eventually(
        () => refundsOf(id),
        (refunds) => refunds.every(({ status }) => status === 'COMPLETED') && refunds.length === 2,
        20_000,
      );
      expect(await refundsOf(id)).toMatchObject([{ amount: '4.00' }, { amount: '6.00' }]);
      expect(await paymentsOf(id)).toMatchObject([{ status: 'REFUNDED' }]);
    });
  });

  describe('is refunded', () => {
    it('once Stripe reports it, not when Stripe accepts it', async () => {
      const { id } = await buy();
      Object.assign(stripe.newRefunds, { status: 'pending' });
      await cancelAsShop(id);
      const [refund] = await untilRefund(id, 'SENT');
      expect(await paymentsOf(id)).toMatchObject([{ status: 'COMPLETED' }]);
      stripe.settleRefund(refund.provider_refund_id, 'succeeded');
      await untilRefund(id, 'COMPLETED');
      expect(await paymentsOf(id)).toMatchObject([{ status: 'REFUNDED' }]);
    });

    it('and the bank returns the money days later', async () => {
      const { id } = await buy();
      await cancelAsShop(id);
      const [refund] = await untilRefund(id, 'COMPLETED');
      stripe.settleRefund(refund.provider_refund_id, 'failed', 'expired_or_canceled_card');
      await untilRefund(id, 'FAILED');
      expect(await refundsOf(id)).toMatchObject([{ reason: 'expired_or_canceled_card' }]);
      expect(await paymentsOf(id)).toMatchObject([{ status: 'COMPLETED' }]);
    });

    it.each([
      ['was executed', '500 after execution', 0],
      ['was not executed', '500', 1],
    ] as const)(
      'once, although Stripe repeats a fault for its first key, of a refund that %s',
      async (_, fault, attempt) => {
        const { id, intent } = await buy();
        // A webhook would report it first.
        Object.assign(stripe.webhooks.settings, { isSilent: true });
        stripe.failNextOf(/^POST \/v1\/refunds$/, fault);
        await cancelAsShop(id);
        const [refund] = await eventually(
          () => rows('select id from refund where attempt = 1', []),
          ({ length }) => length === 1,
        );
        // Minutes lie between two keys.
        await order.query('update refund set next_attempt_at = now() where id = $1', [refund.id]);
        await untilRefund(id, 'COMPLETED');
        const made = stripe.refunds.all().filter((each) => each.payment_intent === intent);
        expect(made).toHaveLength(1);
        const used = stripe.requests.find(({ key }) => key === `${refund.id}:${attempt}`);
        expect(used?.status).toBe(attempt === 0 ? 500 : 200);
        await order.query('update refund set attempt = 0 where id = $1', [refund.id]);
      },
    );
  });

  describe('is disputed', () => {
    const ship = async (orderId: string, shipDisputed?: boolean) => {
      const [{ id }] = await rows('select id from shop_order where order_id = $1', [orderId]);
      const mutation = `mutation ($input: ShipShopOrderInput!) { shipShopOrder(input: $input) {
        __typename ... on PaymentDisputed { disputeStatus reason message } } }`;
      const input = { id, ...(shipDisputed && { shipDisputed }) };
      return (await system.graphql(mutation, { input }, vendor.token)).data.shipShopOrder;
    };
    const disputeOf = async (orderId: string, status: string) =>
      eventually(
        () =>
          rows(
            `select d.status, d.amount, d.funds_withdrawn as withdrawn, d.evidence_due_at as due
             from dispute d join payment p on p.id = d.payment_id where p.order_id = $1`,
            [orderId],
          ),
        ([dispute]) => dispute?.status === status,
        20_000,
      );

    it('and is not shipped, unless the shop wants to', async () => {
      const { id, intent } = await buy();
      stripe.openDispute(intent);
      const [dispute] = await disputeOf(id, 'OPEN');
      expect(dispute).toMatchObject({ amount: '10.00', withdrawn: true, due: expect.any(Date) });
      expect(await ship(id)).toMatchObject({
        __typename: 'PaymentDisputed',
        disputeStatus: 'OPEN',
      });
      expect(await orderOf(id)).toMatchObject({ status: 'CONFIRMED' });
      expect(await ship(id, true)).toMatchObject({ __typename: 'ShopOrder' });
    });

    it('and a refund waits, until the dispute is lost, which cancels it', async () => {
      const { id, intent } = await buy();
      const dispute = stripe.openDispute(intent);
      await disputeOf(id, 'OPEN');
      await cancelAsShop(id);
      expect(await refundsOf(id)).toMatchObject([{ status: 'PENDING' }]);
      const asked = stripe.requests.filter(({ form }) => form.get('payment_intent') === intent);
      expect(asked.filter(({ path }) => path === '/v1/refunds')).toEqual([]);
      stripe.setDispute(dispute, 'lost');
      await untilRefund(id, 'CANCELLED');
      await disputeOf(id, 'LOST');
    });

    it('and a refund is sent once the dispute is won', async () => {
      const { id, intent } = await buy();
      const dispute = stripe.openDispute(intent);
      await disputeOf(id, 'OPEN');
      await cancelAsShop(id);
      stripe.setDispute(dispute, 'won');
      await untilRefund(id, 'COMPLETED');
    });

    it('and events that arrive in another order lead to the state at Stripe', async () => {
      const { id, intent } = await buy();
      Object.assign(stripe.webhooks.settings, { isSilent: true });
      const from = stripe.webhooks.events.length;
      const dispute = stripe.openDispute(intent, { status: 'warning_needs_response' });
      stripe.setDispute(dispute, 'needs_response');
      stripe.setDispute(dispute, 'lost');
      await stripe.webhooks.resend(stripe.webhooks.events.slice(from).toReversed());
      await disputeOf(id, 'LOST');
    });
  });

  it('does not wait for a poll: a webhook wakes the worker', async () => {
    const id = await place();
    await pay(id, 'pm_card_authenticationRequired');
    const [{ intent }] = await paymentsOf(id);
    // No poll for an hour.
    await order.query(
      `update payment set next_attempt_at = now() + interval '1 hour'
      where order_id = $1`,
      [id],
    );
    stripe.completeAction(intent, 'approve');
    await untilStatus(id, 'COMPLETED');
  });

  it('whose webhooks say nothing new costs no write and no request to Stripe', async () => {
    const { paymentId, intent } = await buy();
    await stripe.webhooks.whenSent();
    await isQuiet();
    const requests = () =>
      stripe.requests.filter(
        ({ path, query }) => path.includes(intent) || query.get('payment_intent') === intent,
      ).length;
    const events = () => rows('select id from payment_event where payment_id = $1', [paymentId]);
    // A worker that the first webhook woke may still be making its last request.
    let known = -1;
    while (known !== requests()) {
      known = requests();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    const before = { requests: requests(), events: await events() };
    const ours = stripe.webhooks.events.filter(({ data }) => {
      return (data.object as { id?: string }).id === intent;
    });
    expect(ours.length).toBeGreaterThan(2);
    await stripe.webhooks.resend(ours);
    expect({ requests: requests(), events: await events() }).toEqual(before);
  });
});
