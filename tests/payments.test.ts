import { randomUUID } from 'node:crypto';
import { openPayments, type TestPayments } from './harness/payments.js';
import {
  availableOf,
  checkout,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('a payment', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let customer: Person;
  let offerId: string;
  beforeAll(async () => {
    system = await startSystem();
    payments = await openPayments(system);
    customer = await registerPerson(system);
    ({ offerId } = await openShop(system, await registerPerson(system, 'VENDOR'), [1000]));
  });
  afterEach(async () => {
    await payments.control({ silent: false, copies: 1, delayMaxMs: 100 });
    await system.expectInvariants();
  });
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  const place = async (): Promise<string> =>
    (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout.order.id;
  const payWith = async (orderId: string, method: string, key?: string) =>
    (await pay(system, customer, orderId, method, key)).data.payOrder;
  const buyWith = async (method: string, key?: string) =>
    (await checkout(system, customer, [{ offerId, quantity: 1 }], key, method)).data.checkout;
  const sandboxPaymentOfOrder = async (orderId: string) => {
    const [payment] = await payments.paymentsOf(orderId);
    return payments.sandboxPaymentOf(payment.id);
  };

  it('that succeeds confirms its order, with each step in the history', async () => {
    const id = await place();
    expect(await payWith(id, 'Credit Card')).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
      payment: { status: 'COMPLETED' },
    });
    const { rows } = await payments.order.query(
      `select type, actor from order_event where order_id = $1 and type like 'PAYMENT%' order by id`,
      [id],
    );
    expect(rows).toEqual([
      { type: 'PAYMENT_BEGUN', actor: customer.id },
      { type: 'PAYMENT_AUTHORIZED', actor: 'payments' },
      { type: 'PAYMENT_COMPLETED', actor: 'payments' },
    ]);
    expect(await sandboxPaymentOfOrder(id)).toMatchObject({ status: 'captured', amount: '10.00' });
  });

  it('that is declined leaves the order payable', async () => {
    const id = await place();
    expect(await payWith(id, 'Empty Account')).toMatchObject({
      __typename: 'PaymentDeclined',
      code: 'INSUFFICIENT_FUNDS',
      message: 'The payment was declined for insufficient funds. Try again or use another method.',
      order: { status: 'PENDING' },
    });
    expect(await payWith(id, 'Credit Card')).toMatchObject({ __typename: 'PaymentSuccess' });
    expect(await payWith(id, 'Credit Card')).toMatchObject({ __typename: 'OrderNotPayable' });
    expect((await payments.paymentsOf(id)).map(({ status }) => status)).toEqual([
      'FAILED',
      'COMPLETED',
    ]);
  });

  it('cannot begin for a cancelled order', async () => {
    const id = await place();
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await system.graphql(cancel, { id }, customer.token);
    expect(await payWith(id, 'Credit Card')).toMatchObject({
      __typename: 'OrderNotPayable',
      status: 'CANCELLED',
    });
    expect(await payments.paymentsOf(id)).toEqual([]);
  });

  it('that requires an action returns that for every request, and continues once the customer acted', async () => {
    // With webhooks the worker would continue it in between.
    await payments.control({ silent: true });
    const id = await place();
    const key = randomUUID();
    const pending = await payWith(id, 'Challenge Card', key);
    expect(pending).toMatchObject({
      __typename: 'PaymentActionRequired',
      clientSecret: expect.stringMatching(/^secret_/),
      payment: { status: 'PENDING' },
    });
    expect(await payWith(id, 'Credit Card')).toEqual(pending);
    await payments.act(pending.payment.id, 'approve');
    // Without a webhook, readers look it up every 2 s at most.
    const paid = await eventually(
      () => payWith(id, 'Challenge Card', key),
      ({ __typename }) => __typename === 'PaymentSuccess',
    );
    expect(paid).toMatchObject({ payment: { id: pending.payment.id } });
    expect(await payments.paymentsOf(id)).toHaveLength(1);
  });

  /** A payment that waits for the customer, and that no worker looks up without a webhook. */
  async function payUntilAction(id: string) {
    await payments.control({ silent: true });
    const answer = await payWith(id, 'Challenge Card');
    await payments.order.query(
      `update payment set next_attempt_at = now() + interval '1 hour' where id = $1`,
      [answer.payment.id],
    );
    await payments.control({ silent: false });
    return answer;
  }

  it('that the customer approved is completed by the webhook, without a request', async () => {
    const id = await place();
    const { payment } = await payUntilAction(id);
    await payments.act(payment.id, 'approve');
    await eventually(
      () => payments.orderRow(id),
      ({ status }) => status === 'CONFIRMED',
    );
  });

  it('that the customer refuses is declined, and leaves the order payable', async () => {
    const id = await place();
    const { payment } = await payUntilAction(id);
    await payments.act(payment.id, 'refuse');
    await eventually(
      () => payments.paymentsOf(id),
      ([{ status }]) => status === 'FAILED',
    );
    expect(await payWith(id, 'Credit Card')).toMatchObject({ __typename: 'PaymentSuccess' });
  });

  it('that still requires an action is voided when the customer cancels the order', async () => {
    const id = await place();
    const { payment } = await payWith(id, 'Challenge Card');
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await system.graphql(cancel, { id }, customer.token);
    await eventually(
      () => payments.paymentsOf(id),
      ([{ status }]) => status === 'FAILED',
    );
    expect(await payments.sandboxPaymentOf(payment.id)).toMatchObject({ status: 'canceled' });
    expect((await payments.act(payment.id, 'approve')).status).toBe(409);
  });

  it('by a bank that decides later is pending, and completes when the bank has decided', async () => {
    const id = await place();
    expect(await payWith(id, 'Slow Bank')).toMatchObject({ __typename: 'PaymentPending' });
    await eventually(
      () => payments.orderRow(id),
      ({ status }) => status === 'CONFIRMED',
    );
  });

  it.each(['Silent Card', 'Lost Capture', 'Slow Card', 'Chatty Card'])(
    'by %s is made once, whatever happens to the responses',
    async (method) => {
      const id = await place();
      expect(await payWith(id, method)).toMatchObject({
        __typename: expect.stringMatching(/^Payment(Pending|Success)$/),
      });
      await eventually(
        () => payments.orderRow(id),
        ({ status }) => status === 'CONFIRMED',
        15_000,
      );
      expect(await payments.paymentsOf(id)).toMatchObject([{ status: 'COMPLETED' }]);
      expect(await sandboxPaymentOfOrder(id)).toMatchObject({ status: 'captured', refunds: [] });
    },
    30_000,
  );

  it('is made and captured once for fifty requests at the same time with fifty keys', async () => {
    const id = await place();
    const before = (await payments.sandboxPayments()).length;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => pay(system, customer, id, 'Credit Card')),
    );
    // A request that comes after the payment finds nothing to pay.
    const expected = ['PaymentSuccess', 'PaymentPending', 'OrderNotPayable'];
    for (const { data } of answers) expect(expected).toContain(data.payOrder.__typename);
    await eventually(
      () => payments.paymentsOf(id),
      ([{ status }]) => status === 'COMPLETED',
    );
    expect(await payments.paymentsOf(id)).toHaveLength(1);
    expect((await payments.sandboxPayments()).length - before).toBe(1);
  }, 30_000);

  describe('of a checkout that pays at once', () => {
    it('confirms the order, and the same key gets the same answer', async () => {
      const key = randomUUID();
      const bought = await buyWith('Credit Card', key);
      expect(bought).toMatchObject({
        __typename: 'PaymentSuccess',
        order: { status: 'CONFIRMED' },
        payment: { status: 'COMPLETED', amount: { amount: '10.00' } },
      });
      expect(await buyWith('Credit Card', key)).toEqual(bought);
      const other = await checkout(system, customer, [{ offerId, quantity: 1 }], key);
      expect(other.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_KEY_REUSED');
    });

    it('cancels the order and releases its stock if declined', async () => {
      const key = randomUUID();
      const available = await availableOf(system, offerId);
      const declined = await buyWith('Declined Card', key);
      expect(declined).toMatchObject({
        __typename: 'PaymentDeclined',
        code: 'GENERIC',
        order: { status: 'CANCELLED', cancelReason: 'PAYMENT_FAILED' },
      });
      expect(await availableOf(system, offerId)).toBe(available);
      expect(await buyWith('Declined Card', key)).toEqual(declined);
      expect(await payWith(declined.order.id, 'Credit Card')).toMatchObject({
        __typename: 'OrderNotPayable',
      });
    });

    it('keeps the order pending while an action is required', async () => {
      const key = randomUUID();
      const pending = await buyWith('Challenge Card', key);
      expect(pending).toMatchObject({ __typename: 'PaymentActionRequired' });
      expect(await buyWith('Challenge Card', key)).toEqual(pending);
      await payments.act(pending.payment.id, 'approve');
      await eventually(
        () => buyWith('Challenge Card', key),
        ({ __typename }) => __typename === 'PaymentSuccess',
      );
    });

    it('cancels the order if the customer refuses later', async () => {
      const { payment } = await buyWith('Challenge Card');
      const [{ order_id: id }] = (
        await payments.order.query('select order_id from payment where id = $1', [payment.id])
      ).rows;
      await payments.act(payment.id, 'refuse');
      await eventually(
        () => payments.orderRow(id),
        ({ status, cancel_reason }) => status === 'CANCELLED' && cancel_reason === 'PAYMENT_FAILED',
      );
    });

    it('is pending if the bank decides later', async () => {
      expect(await buyWith('Slow Bank')).toMatchObject({ __typename: 'PaymentPending' });
      await eventually(
        () => payments.order.query(`select 1 from payment where status = 'PENDING'`),
        ({ rowCount }) => rowCount === 0,
      );
    });

    it('continues if a process died after the reservation: the same key pays the same order', async () => {
      const key = randomUUID();
      await payments.order.query(
        'alter table payment add constraint no_payment check (false) not valid',
      );
      const failed = await checkout(
        system,
        customer,
        [{ offerId, quantity: 1 }],
        key,
        'Credit Card',
      );
      expect(failed.errors).toBeDefined();
      await payments.order.query('alter table payment drop constraint no_payment');
      const { rows } = await payments.order.query(
        `select outcome->>'orderId' as id from idempotency_key where key = $1`,
        [key],
      );
      expect(await buyWith('Credit Card', key)).toMatchObject({
        __typename: 'PaymentSuccess',
        order: { id: rows[0].id },
      });
    });
  });
});
