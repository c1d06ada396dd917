import { randomUUID } from 'node:crypto';
import { openPayments, type TestPayments } from './harness/payments.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('a refund', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let customer: Person;
  let vendor: Person;
  let offerId: string;
  beforeAll(async () => {
    system = await startSystem();
    payments = await openPayments(system);
    customer = await registerPerson(system);
    vendor = await registerPerson(system, 'VENDOR');
    ({ offerId } = await openShop(system, vendor, [1000]));
  });
  afterEach(async () => {
    await payments.control({ silent: false, copies: 1, delayMaxMs: 100 });
    await system.expectInvariants();
  });
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  const place = async (offerIds = [offerId]): Promise<string> => {
    const items = offerIds.map((each) => ({ offerId: each, quantity: 1 }));
    return (await checkout(system, customer, items)).data.checkout.order.id;
  };
  const payWith = async (orderId: string, method: string) =>
    (await pay(system, customer, orderId, method)).data.payOrder;
  const cancel = (id: string) =>
    system.graphql(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id },
      customer.token,
    );
  /** Cancels the shop order with this subtotal. */
  const cancelShopOrder = async (orderId: string, price: string) => {
    const { data } = await system.graphql(
      'query ($id: UUID!) { order(id: $id) { shopOrders { id subtotal { amount } } } }',
      { id: orderId },
      customer.token,
    );
    const shopOrders: { id: string; subtotal: { amount: string } }[] = data.order.shopOrders;
    await system.graphql(
      cancelShopOrderMutation,
      {
        input: {
          id: shopOrders.find(({ subtotal }) => subtotal.amount === price)?.id,
          reason: 'OTHER',
        },
      },
      vendor.token,
    );
  };
  const readPayment = async (id: string) =>
    (
      await system.graphql(
        `query ($id: UUID!) { payment(id: $id) {
           status refunds { id amount { amount currencyCode } reason status } } }`,
        { id },
        customer.token,
      )
    ).data.payment;

  it('is sent once, though the first response is lost, and then the payment is REFUNDED', async () => {
    const id = await place();
    const { payment } = await payWith(id, 'Lost Refund');
    await cancelShopOrder(id, '10.00');
    await eventually(
      () => readPayment(payment.id),
      ({ status }) => status === 'REFUNDED',
      20_000,
    );
    expect(await readPayment(payment.id)).toMatchObject({
      refunds: [
        {
          amount: { amount: '10.00', currencyCode: 'USD' },
          reason: 'BY_SHOP',
          status: 'COMPLETED',
        },
      ],
    });
    expect((await payments.sandboxPaymentOf(payment.id))?.refunds).toMatchObject([
      { amount: '10.00' },
    ]);
  }, 30_000);

  it('that was executed in spite of a fault is found once the lists of the provider show it', async () => {
    const id = await place();
    const { payment } = await payWith(id, 'Credit Card');
    await payments.post('/admin/lag', { ms: 1000 });
    await payments.fault('refund', '500', 1, true);
    await cancelShopOrder(id, '10.00');
    const used = `select r.id from refund r where r.payment_id = $1 and r.keys_used_up = 1`;
    const [{ id: refundId }] = await eventually(
      async () => (await payments.order.query(used, [payment.id])).rows,
      ({ length }) => length === 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 1200));
    await payments.order.query('update refund set next_attempt_at = now() where id = $1', [
      refundId,
    ]);
    await eventually(
      () => readPayment(payment.id),
      ({ status }) => status === 'REFUNDED',
    );
    expect((await payments.sandboxPaymentOf(payment.id))?.refunds).toHaveLength(1);
    await payments.post('/admin/lag', { ms: 0 });
  });

  it('of a part leaves the payment COMPLETED', async () => {
    const other = await openShop(system, vendor, [10], '4.00');
    const id = await place([offerId, other.offerId]);
    const { payment } = await payWith(id, 'Credit Card');
    await cancelShopOrder(id, '4.00');
    await eventually(
      () => readPayment(payment.id),
      ({ refunds }) => refunds[0]?.status === 'COMPLETED',
    );
    expect((await readPayment(payment.id)).status).toBe('COMPLETED');
  });

  it('covers a payment that was captured for an order cancelled meanwhile', async () => {
    await payments.control({ silent: true });
    const id = await place();
    const { payment } = await payWith(id, 'Challenge Card');
    await payments.act(payment.id, 'approve');
    const inSandbox = await payments.sandboxPaymentOf(payment.id);
    await payments.post(`/v1/payments/${inSandbox?.id}/capture`, {});
    await cancel(id);
    await eventually(
      () => readPayment(payment.id),
      ({ status }) => status === 'REFUNDED',
    );
    expect((await payments.sandboxPaymentOf(payment.id))?.refunds).toMatchObject([
      { amount: '10.00' },
    ]);
  });

  it('covers a payment whose order ended although its stock was still reserved', async () => {
    await payments.control({ silent: true });
    const id = await place();
    const { payment } = await payWith(id, 'Challenge Card');
    await payments.order.query(
      `with shop_orders as (update shop_order set status = 'CANCELLED' where order_id = $1),
       counters as (update purchase p set units = p.units - 1 from customer_order o, shop_order s
         where o.id = $1 and s.order_id = o.id and p.customer_id = o.customer_id
           and p.shop_id = s.shop_id),
       hold as (update customer_hold set open_orders = 0, open_units = '{}'
         where customer_id = (select customer_id from customer_order where id = $1))
       update customer_order set status = 'CANCELLED', cancel_reason = 'OUT_OF_STOCK' where id = $1`,
      [id],
    );
    await payments.act(payment.id, 'approve');
    await payments.order.query('update payment set next_attempt_at = now() where id = $1', [
      payment.id,
    ]);
    await eventually(
      () => readPayment(payment.id),
      ({ status }) => status === 'REFUNDED',
    );
    expect((await payments.sandboxPaymentOf(payment.id))?.refunds).toMatchObject([
      { amount: '10.00' },
    ]);
    const { rows } = await payments.order.query(
      `select payload from outbox
       where topic = 'order.units.cancelled' and payload->>'orderId' = $1`,
      [id],
    );
    expect(rows).toHaveLength(1);
  });

  it('covers a payment that the provider captured after it was FAILED here, once a webhook reports it', async () => {
    await payments.control({ silent: true });
    const id = await place();
    const { payment } = await payWith(id, 'Challenge Card');
    await payments.order.query(
      `update payment set status = 'FAILED', failure = 'DECLINED', client_secret = null,
         next_attempt_at = null
       where id = $1`,
      [payment.id],
    );
    // The webhooks must come after the capture, or the worker would void it.
    await payments.control({ silent: false, copies: 3, delayMaxMs: 1500 });
    await payments.act(payment.id, 'approve');
    const inSandbox = await payments.sandboxPaymentOf(payment.id);
    await payments.post(`/v1/payments/${inSandbox?.id}/capture`, {});
    await eventually(
      () => payments.refundsOf(id),
      ([refund]) => refund?.status === 'COMPLETED',
    );
    expect((await payments.sandboxPaymentOf(payment.id))?.refunds).toHaveLength(1);
    expect((await readPayment(payment.id)).status).toBe('FAILED');
    await cancel(id);
  });

  it('is not needed if the capture fails permanently: the order is cancelled and its units return', async () => {
    const key = randomUUID();
    const items = [{ offerId, quantity: 2 }];
    const { data } = await checkout(system, customer, items, key, 'Broken Capture');
    expect(data.checkout).toMatchObject({
      __typename: 'PaymentDeclined',
      code: 'GENERIC',
      order: { status: 'CANCELLED', cancelReason: 'PAYMENT_FAILED' },
    });
    const { id } = data.checkout.order;
    const [payment] = await payments.paymentsOf(id);
    expect(payment).toMatchObject({ status: 'FAILED' });
    await eventually(
      () => payments.sandboxPaymentOf(payment.id),
      (inSandbox) => inSandbox?.status === 'canceled',
    );
    const { rows } = await payments.order.query(
      `select topic, payload->>'reason' as reason from outbox where payload->>'orderId' = $1`,
      [id],
    );
    expect(rows).toEqual([{ topic: 'order.units.cancelled', reason: 'PAYMENT_FAILED' }]);
    expect(await payments.refundsOf(id)).toEqual([]);
  });
});
