import { randomUUID } from 'node:crypto';
import { overWebSocket } from '../harness/live.js';
import { openPayments, type TestPayments } from '../harness/payments.js';
import { address, openShop, type Person, pay, payOnce, registerPerson } from '../harness/people.js';
import { retry } from '../harness/retry.js';
import { startSystem, type TestSystem } from '../harness/system.js';
import { eventually } from '../harness/wait.js';
import { openSaleEvent } from './open-sale-event.js';
import { openSaleClock, type SaleClock } from './sale-clock.js';

const checkoutMutation = `mutation ($input: CheckoutInput!) { checkout(input: $input) {
  __typename
  ... on CheckoutSuccess { order { id expiresAt } }
  ... on PaymentActionRequired { payment { id } }
} }`;
const expiry = '{ status expiresAt }';

const holdMinutes = 1;
const reservationMinutes = 3;
const minuteMs = 60_000;
const allocation = 5;

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
type Reply = any;
interface Sale {
  readonly offerId: string;
  readonly saleId: string;
}

describe('an order of a sale with a short hold, paid through the warehouse', () => {
  let system: TestSystem;
  let clock: SaleClock;
  let payments: TestPayments;
  let vendor: Person;
  let customer: Person;
  let sale: Sale;
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: String(reservationMinutes) });
    [clock, payments] = await Promise.all([openSaleClock(system.databases), openPayments(system)]);
    vendor = await registerPerson(system, 'VENDOR');
  });
  beforeEach(async () => {
    customer = await registerPerson(system);
    sale = await openSale(holdMinutes);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await Promise.all([clock.close(), payments.close()]);
    await system.stop();
  });

  async function openSale(minutes: number): Promise<Sale> {
    const { shopId, offerId } = await openShop(system, vendor, [allocation]);
    const lines = [{ offerId, price: '4.00', allocation }];
    const terms = { startsIn: 3600, lasts: 3600, holdMinutes: minutes, lines };
    const { id } = await openSaleEvent(system, vendor, shopId, terms);
    await clock.start(id);
    return { offerId, saleId: id };
  }
  async function buy({ offerId, saleId }: Sale, paymentMethod?: string): Promise<Reply> {
    const items = [{ offerId, saleId, quantity: 1 }];
    const more = { idempotencyKey: randomUUID(), shippingAddress: address, paymentMethod };
    const input = { items, ...more };
    const send = () => system.graphql(checkoutMutation, { input }, customer.token);
    const { data, errors } = await retry(send);
    if (errors) throw new Error(JSON.stringify(errors));
    return data.checkout;
  }
  const payBy = async (orderId: string, method: string, key?: string): Promise<Reply> =>
    (await pay(system, customer, orderId, method, key)).data.payOrder;
  async function shown(orderId: string): Promise<{ status: string; expiresAt: string }> {
    const query = `query ($id: UUID!) { order(id: $id) ${expiry} }`;
    return (await system.graphql(query, { id: orderId }, customer.token)).data.order;
  }
  /** The reservation of an order as the warehouse has it: how long it is held, in milliseconds, and until when. */
  async function heldOf(orderId: string) {
    const [row] = await clock.rows<{ from: Date; until: Date }>(
      'warehouse',
      'select created_at as from, expires_at as until from reservation where order_id = $1',
      [orderId],
    );
    if (!row) throw new Error('nothing is reserved');
    return { ms: row.until.getTime() - row.from.getTime(), until: row.until.toISOString() };
  }
  const ordersOf = ({ id }: Person) =>
    clock.rows<{ id: string }>('order', 'select id from customer_order where customer_id = $1', [
      id,
    ]);
  /** The provider knows no payment of the customer’s orders, and order has begun none. */
  async function expectNothingAsked(orderId: string) {
    expect(await payments.paymentsOf(orderId)).toEqual([]);
    expect((await payments.sandboxPayments()).length).toBe(asked);
  }
  let asked = 0;
  const countAsked = async () => {
    asked = (await payments.sandboxPayments()).length;
  };

  it('is held longer once its payment begins, for as long as any order since its hold, and only once', async () => {
    const { order } = await buy(sale);
    expect(await heldOf(order.id)).toEqual({ ms: holdMinutes * minuteMs, until: order.expiresAt });
    const live = overWebSocket(system.url, customer.token);
    const watched = live.subscribe(
      `subscription ($id: UUID!) { orderChanged(id: $id) ${expiry} }`,
      {
        id: order.id,
      },
    );
    const seen = () => watched.seen.map(({ data }) => data?.orderChanged);
    await eventually(async () => seen().length, Boolean);
    expect(seen()).toEqual([{ status: 'PENDING', expiresAt: order.expiresAt }]);

    const challenged = await payBy(order.id, 'Challenge Card');
    expect(challenged.__typename).toBe('PaymentActionRequired');
    const extended = await heldOf(order.id);
    expect(extended.ms).toBe(reservationMinutes * minuteMs);
    expect(await shown(order.id)).toEqual({ status: 'PENDING', expiresAt: extended.until });
    await eventually(
      async () => seen().at(-1),
      (last) => last?.expiresAt === extended.until,
    );

    await payments.act(challenged.payment.id, 'refuse');
    await eventually(
      () => payments.paymentsOf(order.id),
      ([first]) => first?.status === 'FAILED',
    );
    expect((await payBy(order.id, 'Declined Card')).__typename).toBe('PaymentDeclined');
    expect(await heldOf(order.id)).toEqual(extended);
    expect(await shown(order.id)).toEqual({ status: 'PENDING', expiresAt: extended.until });
    expect(await payBy(order.id, 'Credit Card')).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
    });
    expect(await heldOf(order.id)).toEqual(extended);
    expect(await clock.unitsOf(sale.saleId)).toEqual({ allocated: allocation, held: 0, sold: 1 });
    await eventually(
      async () => seen().at(-1),
      (last) => last?.status === 'CONFIRMED',
    );
    live.close();
  });

  it('is held longer as well when its checkout pays at once', async () => {
    const challenged = await buy(sale, 'Challenge Card');
    expect(challenged.__typename).toBe('PaymentActionRequired');
    const [{ id }] = (await ordersOf(customer)) as [{ id: string }];
    const { ms, until } = await heldOf(id);
    expect(ms).toBe(reservationMinutes * minuteMs);
    expect((await shown(id)).expiresAt).toBe(until);
    await payments.act(challenged.payment.id, 'approve');
    await eventually(
      () => shown(id),
      ({ status }) => status === 'CONFIRMED',
    );
  });

  it('is held no longer than any order where the sale would have it so, and is not extended', async () => {
    const long = await openSale(60);
    const { order } = await buy(long);
    const held = await heldOf(order.id);
    expect(held).toEqual({ ms: reservationMinutes * minuteMs, until: order.expiresAt });
    expect((await payBy(order.id, 'Credit Card')).__typename).toBe('PaymentSuccess');
    expect(await heldOf(order.id)).toEqual(held);
  });

  it('that is due is answered as expired, the provider is not asked for money, and its units come back', async () => {
    const { order } = await buy(sale);
    await countAsked();
    await clock.expireHold(order.id);
    expect((await payBy(order.id, 'Credit Card')).__typename).toBe('OrderExpired');
    await expectNothingAsked(order.id);
    await eventually(
      () => shown(order.id),
      ({ status }) => status === 'CANCELLED',
    );
    expect((await payBy(order.id, 'Credit Card')).__typename).toBe('OrderExpired');
    await expectNothingAsked(order.id);
    expect(await clock.unitsOf(sale.saleId)).toEqual({ allocated: allocation, held: 0, sold: 0 });
  });

  it('is not paid while the warehouse does not answer, and is by the same request afterwards', async () => {
    const { order } = await buy(sale);
    await countAsked();
    const key = randomUUID();
    await system.stopProcess('warehouse');
    const { errors } = await payOnce(system, customer, order.id, 'Credit Card', key).finally(() =>
      system.start('warehouse'),
    );
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    await expectNothingAsked(order.id);
    expect(await heldOf(order.id)).toEqual({ ms: holdMinutes * minuteMs, until: order.expiresAt });
    expect((await payBy(order.id, 'Credit Card', key)).__typename).toBe('PaymentSuccess');
    expect((await heldOf(order.id)).ms).toBe(reservationMinutes * minuteMs);
  });
});
