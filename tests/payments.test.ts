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
  const bookOfOrder = async (orderId: string) => {
    const [payment] = await payments.paymentsOf(orderId);
    return payments.bookOf(payment.id);
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
    expect(await bookOfOrder(id)).toMatchObject({ status: 'captured', amount: '10.00' });
  });

  it('that is declined leaves the order to be paid by another', async () => {
    const id = await place();
    expect(await payWith(id, 'Empty Account')).toMatchObject({
      __typename: 'PaymentDeclined',
      reason: 'insufficient funds',
      order: { status: 'PENDING' },
    });
    expect(await payWith(id, 'Credit Card')).toMatchObject({ __typename: 'PaymentSuccess' });
    expect(await payWith(id, 'Credit Card')).toMatchObject({ __typename: 'OrderNotPayable' });
    expect((await payments.paymentsOf(id)).map(({ status }) => status)).toEqual([
      'FAILED',
      'COMPLETED',
    ]);
  });

  it('of an order that was cancelled is not begun', async () => {
    const id = await place();
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await system.graphql(cancel, { id }, customer.token);
    expect(await payWith(id, 'Credit Card')).toMatchObject({
      __typename: 'OrderNotPayable',
      status: 'CANCELLED',
    });
    expect(await payments.paymentsOf(id)).toEqual([]);
  });

  it('for which the customer has to act says so to whoever asks, and goes on once they did', async () => {
    // By its webhooks the worker would go on with it, and whoever asks meanwhile be told so.
    await payments.control({ silent: true });
    const id = await place();
    const key = randomUUID();
    const asked = await payWith(id, 'Challenge Card', key);
    expect(asked).toMatchObject({
      __typename: 'PaymentActionRequired',
      clientSecret: expect.stringMatching(/^secret_/),
      payment: { status: 'PENDING' },
    });
    expect(await payWith(id, 'Credit Card')).toEqual(asked);
    await payments.act(asked.payment.id, 'approve');
    expect(await payWith(id, 'Challenge Card', key)).toMatchObject({
      __typename: 'PaymentSuccess',
      payment: { id: asked.payment.id },
    });
    expect(await payments.paymentsOf(id)).toHaveLength(1);
  });

  /** A payment that waits for the customer, and that no worker looks at without news of it. */
  async function payUnasked(id: string) {
    await payments.control({ silent: true });
    const answer = await payWith(id, 'Challenge Card');
    await payments.order.query(
      `update payment set next_attempt_at = now() + interval '1 hour' where id = $1`,
      [answer.payment.id],
    );
    await payments.control({ silent: false });
    return answer;
  }

  it('that the customer agreed to is settled by the webhook, though nobody asks', async () => {
    const id = await place();
    const { payment } = await payUnasked(id);
    await payments.act(payment.id, 'approve');
    await eventually(
      () => payments.orderRow(id),
      ({ status }) => status === 'CONFIRMED',
    );
  });

  it('that the customer refuses is declined, and the order can be paid by another', async () => {
    const id = await place();
    const { payment } = await payUnasked(id);
    await payments.act(payment.id, 'refuse');
    await eventually(
      () => payments.paymentsOf(id),
      ([{ status }]) => status === 'FAILED',
    );
    expect(await payWith(id, 'Credit Card')).toMatchObject({ __typename: 'PaymentSuccess' });
  });

  it('that the customer never acts on is let go when they cancel the order', async () => {
    const id = await place();
    const { payment } = await payWith(id, 'Challenge Card');
    const cancel = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await system.graphql(cancel, { id }, customer.token);
    await eventually(
      () => payments.paymentsOf(id),
      ([{ status }]) => status === 'FAILED',
    );
    expect(await payments.bookOf(payment.id)).toMatchObject({ status: 'voided' });
    expect((await payments.act(payment.id, 'approve')).status).toBe(409);
  });

  it('by a bank that thinks is pending, and settled when the bank is done', async () => {
    const id = await place();
    expect(await payWith(id, 'Slow Bank')).toMatchObject({ __typename: 'PaymentPending' });
    await eventually(
      () => payments.orderRow(id),
      ({ status }) => status === 'CONFIRMED',
    );
  });

  it.each(['Silent Card', 'Lost Capture', 'Slow Card', 'Chatty Card'])(
    'by %s is made once, however it is answered',
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
      expect(await bookOfOrder(id)).toMatchObject({ status: 'captured', refunds: [] });
    },
    30_000,
  );

  it('is one for fifty who pay at once with fifty keys, and captured once', async () => {
    const id = await place();
    const before = (await payments.books()).length;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => pay(system, customer, id, 'Credit Card')),
    );
    // Who comes when it is paid already is told that there is nothing to pay.
    const told = ['PaymentSuccess', 'PaymentPending', 'OrderNotPayable'];
    for (const { data } of answers) expect(told).toContain(data.payOrder.__typename);
    await eventually(
      () => payments.paymentsOf(id),
      ([{ status }]) => status === 'COMPLETED',
    );
    expect(await payments.paymentsOf(id)).toHaveLength(1);
    expect((await payments.books()).length - before).toBe(1);
  }, 30_000);

  describe('with the checkout', () => {
    it('confirms the order at once, and its key gives the same answer again', async () => {
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

    it('that is declined cancels the order and puts its stock back', async () => {
      const key = randomUUID();
      const available = await availableOf(system, offerId);
      const declined = await buyWith('Declined Card', key);
      expect(declined).toMatchObject({
        __typename: 'PaymentDeclined',
        reason: 'the card was declined',
        order: { status: 'CANCELLED', cancelReason: 'PAYMENT_FAILED' },
      });
      expect(await availableOf(system, offerId)).toBe(available);
      expect(await buyWith('Declined Card', key)).toEqual(declined);
      expect(await payWith(declined.order.id, 'Credit Card')).toMatchObject({
        __typename: 'OrderNotPayable',
      });
    });

    it('for which the customer has to act keeps the order until they did', async () => {
      const key = randomUUID();
      const asked = await buyWith('Challenge Card', key);
      expect(asked).toMatchObject({ __typename: 'PaymentActionRequired' });
      expect(await buyWith('Challenge Card', key)).toEqual(asked);
      await payments.act(asked.payment.id, 'approve');
      expect(await buyWith('Challenge Card', key)).toMatchObject({ __typename: 'PaymentSuccess' });
    });

    it('that the customer refuses later cancels the order', async () => {
      const asked = await buyWith('Challenge Card');
      const [{ order_id: id }] = (
        await payments.order.query('select order_id from payment where id = $1', [asked.payment.id])
      ).rows;
      await payments.act(asked.payment.id, 'refuse');
      await eventually(
        () => payments.orderRow(id),
        ({ status, cancel_reason }) => status === 'CANCELLED' && cancel_reason === 'PAYMENT_FAILED',
      );
    });

    it('is pending where the bank thinks', async () => {
      expect(await buyWith('Slow Bank')).toMatchObject({ __typename: 'PaymentPending' });
      await eventually(
        () => payments.order.query(`select 1 from payment where status = 'PENDING'`),
        ({ rowCount }) => rowCount === 0,
      );
    });

    it('goes on where a process died behind the hold: the same key pays the same order', async () => {
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
