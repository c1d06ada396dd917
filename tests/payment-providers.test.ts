import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { checkout, openShop, type Person, payOnce, registerPerson } from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { type StripeServer, startStripeServer } from './harness/stripe/stripe-server.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const card = 'pm_card_visa';
const kinds = { sandbox: 'sandbox', stripe: 'stripe', eu: 'stripe-eu' } as const;

/** A store that changes its provider from the sandbox to Stripe, and then to another account. */
describe('payment providers', () => {
  let stripe: StripeServer;
  let eu: StripeServer;
  let system: TestSystem;
  let order: pg.Client;
  let customer: Person;
  let vendor: Person;
  let offerId: string;
  beforeAll(async () => {
    [stripe, eu] = await Promise.all([startStripeServer(), startStripeServer()]);
    system = await startSystem({ PAYMENT_TIMEOUT_SECONDS: '2' });
    for (const [server, name] of [
      [stripe, kinds.stripe],
      [eu, kinds.eu],
    ] as const) {
      const url = system.url.replace('/graphql', `/webhooks/payments/${name}`);
      Object.assign(server.webhooks.settings, { url, secret: `whsec_${name}` });
    }
    order = new pg.Client({ connectionString: system.databases.order });
    await order.connect();
    customer = await registerPerson(system);
    vendor = await registerPerson(system, 'VENDOR');
    ({ offerId } = await openShop(system, vendor, [1000]));
  }, 120_000);
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await order.end();
    await system.stop();
    await Promise.all([stripe.stop(), eu.stop()]);
  });

  const sandboxEntry = () => ({
    name: kinds.sandbox,
    kind: 'sandbox',
    url: `http://127.0.0.1:${system.ports.sandbox}`,
    webhookSecret: system.secrets.webhookSecret,
  });
  const stripeEntry = () => ({
    ...{ name: kinds.stripe, kind: 'stripe', apiUrl: stripe.url },
    ...{ secretKey: 'sk_test_x', webhookSecret: `whsec_${kinds.stripe}` },
  });
  const current = {
    sandbox: () => ({}),
    stripe: () => ({
      ...{ PAYMENT_PROVIDER: 'stripe', STRIPE_API_URL: stripe.url },
      ...{ STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: `whsec_${kinds.stripe}` },
    }),
    eu: () => ({
      ...{ PAYMENT_PROVIDER: 'stripe', PAYMENT_PROVIDER_NAME: kinds.eu, STRIPE_API_URL: eu.url },
      ...{ STRIPE_SECRET_KEY: 'sk_test_eu', STRIPE_WEBHOOK_SECRET: `whsec_${kinds.eu}` },
    }),
  };
  async function restart(kind: keyof typeof current, ...former: object[]) {
    await system.stopProcess('order');
    const formerProviders = { PAYMENT_FORMER_PROVIDERS: JSON.stringify(former) };
    await system.start('order', { ...current[kind](), ...formerProviders });
  }

  const rows = async (query: string, values: unknown[]) => (await order.query(query, values)).rows;
  const place = async (): Promise<string> =>
    (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order.id;
  const pay = async (id: string, method = card, key?: string) => {
    const { data, errors } = await payOnce(system, customer, id, method, key);
    return data?.payOrder ?? errors?.[0];
  };
  const buy = async (method = card) => {
    const id = await place();
    expect(await pay(id, method)).toMatchObject({ __typename: 'PaymentSuccess' });
    return id;
  };
  const cancelAsShop = async (orderId: string) => {
    const [{ id }] = await rows('select id from shop_order where order_id = $1', [orderId]);
    const input = { id, reason: 'OTHER' };
    return system.graphql(cancelShopOrderMutation, { input }, vendor.token);
  };
  const paymentsOf = (orderId: string) =>
    rows(
      `select id, status, failure, provider, attempts, provider_transaction_id as intent
       from payment where order_id = $1 order by id`,
      [orderId],
    );
  const refundOf = async (orderId: string, status: string) =>
    eventually(
      () =>
        rows(
          `select r.status, r.attempts from refund r join payment p on p.id = r.payment_id
           where p.order_id = $1`,
          [orderId],
        ),
      ([refund]) => refund?.status === status,
      20_000,
    );
  const metrics = async () => {
    const response = await fetch(`http://127.0.0.1:${system.ports.ops.order}/metrics`);
    return response.text();
  };

  it('end what they began after a switch: authorized payments and refunds that come later', async () => {
    const [paid, authorized] = [await buy('Credit Card'), await place()];
    const pending = await pay(authorized, 'Challenge Card');
    expect(pending).toMatchObject({ __typename: 'PaymentActionRequired' });
    await restart('stripe', sandboxEntry());

    // The sandbox reports by its webhook that the customer acted.
    const act = `http://127.0.0.1:${system.ports.sandbox}/v1/payments/${pending.payment.id}/act`;
    const { clientSecret } = pending;
    await fetch(act, {
      method: 'POST',
      body: JSON.stringify({ clientSecret, outcome: 'approve' }),
    });
    await eventually(
      () => paymentsOf(authorized),
      ([payment]) => payment?.status === 'COMPLETED',
      20_000,
    );
    const before = stripe.requests.length;
    await cancelAsShop(paid);
    await refundOf(paid, 'COMPLETED');
    expect(stripe.requests).toHaveLength(before);

    const bought = await buy();
    expect(await paymentsOf(bought)).toMatchObject([{ provider: 'stripe', status: 'COMPLETED' }]);
  });

  it('may be two accounts of one provider', async () => {
    await restart('stripe', sandboxEntry());
    const first = await buy();
    await restart('eu', stripeEntry(), sandboxEntry());
    const second = await buy();
    expect(await paymentsOf(first)).toMatchObject([{ provider: 'stripe' }]);
    const [{ provider, intent }] = await paymentsOf(second);
    expect(provider).toBe('stripe-eu');
    expect(eu.intents.get(intent)?.status).toBe('succeeded');
    await Promise.all([cancelAsShop(first), cancelAsShop(second)]);
    await Promise.all([refundOf(first, 'COMPLETED'), refundOf(second, 'COMPLETED')]);
    expect([stripe, eu].map((each) => each.refunds.all().length)).toEqual([1, 1]);
  });

  it('that are not configured stop nothing but their own payments, which are shown', async () => {
    await restart('stripe', sandboxEntry());
    const theirs = await buy();
    await restart('sandbox');
    await cancelAsShop(theirs);
    const ours = await buy('Credit Card');
    await cancelAsShop(ours);
    await refundOf(ours, 'COMPLETED');
    expect(await refundOf(theirs, 'PENDING')).toMatchObject([{ attempts: 0 }]);
    const webhook = (name: string) =>
      fetch(system.url.replace('/graphql', `/webhooks/payments/${name}`), { method: 'POST' });
    expect((await webhook('stripe')).status).toBe(404);
    expect((await webhook('sandbox')).status).toBe(400);
    expect(await metrics()).toMatch(/^holdfast_payments_without_provider\{[^}]*\} 1$/m);
    await restart('sandbox', stripeEntry());
    await refundOf(theirs, 'COMPLETED');
    expect(await metrics()).toMatch(/^holdfast_payments_without_provider\{[^}]*\} 0$/m);
  });

  describe('that refuse a payment', () => {
    beforeAll(() => restart('stripe', sandboxEntry()));

    it('for a method that Stripe does not know: it is invalid input, for each repetition of the key', async () => {
      const id = await place();
      for (const method of ['Credit Card', 'pm_unknown']) {
        const key = randomUUID();
        const refusal = await pay(id, method, key);
        expect(refusal).toMatchObject({
          message: expect.stringMatching(/pm_…/),
          extensions: {
            code: 'BAD_USER_INPUT',
            fields: { 'input.paymentMethod': expect.any(String) },
          },
        });
        expect(await pay(id, method, key)).toMatchObject({ message: refusal.message });
      }
      expect(await paymentsOf(id)).toMatchObject([
        { status: 'FAILED', failure: 'UNKNOWN_METHOD' },
        { status: 'FAILED', failure: 'UNKNOWN_METHOD' },
      ]);
      expect(await pay(id)).toMatchObject({ __typename: 'PaymentSuccess' });
    });

    it('for such a method at a checkout: the order is cancelled as for a decline', async () => {
      const key = randomUUID();
      for (let n = 0; n < 2; n++) {
        const { errors } = await checkout(
          system,
          customer,
          [{ offerId, quantity: 1 }],
          key,
          'Card',
        );
        expect(errors?.[0]).toMatchObject({
          message: expect.stringMatching(/The order is cancelled\.$/),
          extensions: { code: 'BAD_USER_INPUT' },
        });
      }
      const [{ status, cancel_reason }] = await rows(
        `select o.status, o.cancel_reason from customer_order o join payment p on p.order_id = o.id
         where p.failure = 'UNKNOWN_METHOD' and p.ends_order`,
        [],
      );
      expect([status, cancel_reason]).toEqual(['CANCELLED', 'PAYMENT_FAILED']);
    });

    it('with our words: those of Stripe are nowhere', async () => {
      const id = await place();
      for (const [method, code] of [
        ['pm_declined_insufficient_funds', 'INSUFFICIENT_FUNDS'],
        ['pm_declined_stolen_card', 'GENERIC'],
      ]) {
        const declined = await pay(id, method);
        expect(declined).toMatchObject({ __typename: 'PaymentDeclined', code });
        expect(declined.message).not.toContain('Your card was declined.');
      }
      const query = `query ($id: UUID!) { order(id: $id) { history { edges { node { type reason } } } } }`;
      const { data } = await system.graphql(query, { id }, customer.token);
      const events: { node: { type: string; reason: string } }[] = data.order.history.edges;
      const failed = events.filter(({ node }) => node.type === 'PAYMENT_FAILED');
      expect(failed.map(({ node }) => node.reason)).toEqual(['INSUFFICIENT_FUNDS', 'GENERIC']);
    });

    it.each([
      [400, { code: 'parameter_unknown', param: 'amount' }, /payment_intents$/],
      [400, { code: 'amount_too_small', param: 'amount' }, /payment_intents$/],
      [400, { param: 'currency' }, /payment_intents$/],
      [401, {}, /payment_intents$/],
      [403, {}, /confirm$/],
      [404, { code: 'resource_missing', param: 'intent' }, /confirm$/],
    ])(
      'for a fault of ours (%d, %j): the order is kept, and the fault is counted',
      async (status, details, at) => {
        const type = 'invalid_request_error' as const;
        stripe.failNextOf(at, { status, body: { error: { type, message: 'No.', ...details } } });
        // The first attempt is answered with TRY_AGAIN, and repeated.
        const { data } = await checkout(
          system,
          customer,
          [{ offerId, quantity: 1 }],
          randomUUID(),
          card,
        );
        expect(data.checkout).toMatchObject({ __typename: 'PaymentSuccess' });
        expect(await paymentsOf(data.checkout.order.id)).toMatchObject([
          { status: 'FAILED', failure: 'NOT_CHARGED' },
          { status: 'COMPLETED' },
        ]);
        const code = (details as { code?: string }).code ?? `http_${status}`;
        expect(await metrics()).toMatch(
          new RegExp(`^holdfast_payment_faults_total\\{[^}]*code="${code}"[^}]*\\} 1$`, 'm'),
        );
      },
    );
  });
});
