import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import {
  availableOf,
  checkout,
  logIn,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually, someoneWaits } from './harness/wait.js';

const unitsAtFirst = 1000;
const roundsMaxMs = 240_000;
const shopOrderFields = `__typename
  ... on ShopOrder { id status trackingNumber order { id status } }
  ... on WrongShopOrderStatus { message status }`;

type Shop = Awaited<ReturnType<typeof openShop>>;

describe('the fulfilment and cancellation of a paid order', () => {
  let system: TestSystem;
  let vendor: Person;
  let otherVendor: Person;
  let customer: Person;
  let shop: Shop;
  let otherShop: Shop;
  let database: pg.Client;
  beforeAll(async () => {
    system = await startSystem();
    [vendor, otherVendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    shop = await openShop(system, vendor, [unitsAtFirst], '10.10');
    otherShop = await openShop(system, otherVendor, [unitsAtFirst], '0.33');
    database = new pg.Client({ connectionString: system.databases.order });
    await database.connect();
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  async function buy(isPaid = true, items = [shop, otherShop]) {
    const lines = items.map(({ offerId }) => ({ offerId, quantity: 3 }));
    const { data } = await checkout(system, customer, lines);
    const orderId = data.checkout.order.id as string;
    if (isPaid) {
      const paid = await pay(system, customer, orderId);
      expect(paid.data.payOrder.__typename).toBe('PaymentSuccess');
    }
    const { rows } = await database.query<{ id: string; shop_id: string }>(
      'select id, shop_id from shop_order where order_id = $1',
      [orderId],
    );
    const shopOrderOf = ({ shopId }: Shop) =>
      rows.find((row) => row.shop_id === shopId)?.id as string;
    return { orderId, mine: shopOrderOf(shop), other: shopOrderOf(otherShop) };
  }
  const ship = (person: Person, id: string, trackingNumber?: string) =>
    actAs(system, person).mutate(
      'shipShopOrder',
      'ShipShopOrderInput',
      { id, ...(trackingNumber && { trackingNumber }) },
      shopOrderFields,
    );
  const deliver = (person: Person, id: string) =>
    actAs(system, person).must(
      `mutation ($id: UUID!) { deliverShopOrder(id: $id) { ${shopOrderFields} } }`,
      { id },
    );
  const cancelShopOrder = (person: Person, id: string) =>
    actAs(system, person).mutate(
      'cancelShopOrder',
      'CancelShopOrderInput',
      { id, reason: 'CUSTOMER_REQUEST' },
      shopOrderFields,
    );
  const cancel = (id: string) =>
    actAs(system, customer).must(
      `mutation ($id: UUID!) { cancelOrder(id: $id) { __typename
         ... on Order { status cancelReason shopOrders { status } }
         ... on OrderNotCancellable { message status } } }`,
      { id },
    );
  const statusOf = async (orderId: string) =>
    (
      await actAs(system, customer).must('query ($id: UUID!) { order(id: $id) { status } }', {
        id: orderId,
      })
    ).status;
  const refundsOf = async (orderId: string) => {
    const { rows } = await database.query<{ amount: string; reason: string }>(
      `select r.amount, r.reason from refund r join payment p on p.id = payment_id
       where p.order_id = $1 order by r.id`,
      [orderId],
    );
    return rows.map(({ amount, reason }) => [amount, reason]);
  };
  const untilAvailable = (of: Shop, units: number) =>
    eventually(
      () => availableOf(system, of.offerId),
      (available) => available === units,
    );
  const leftOf = (of: Shop) => availableOf(system, of.offerId);

  it('each shop ships and delivers its shop order, and the order follows the least advanced', async () => {
    const { orderId, mine, other } = await buy();
    expect(await ship(vendor, mine, 'PARCEL-1')).toEqual({
      __typename: 'ShopOrder',
      id: mine,
      status: 'SHIPPED',
      trackingNumber: 'PARCEL-1',
      order: { id: orderId, status: 'CONFIRMED' },
    });
    expect(await deliver(vendor, mine)).toMatchObject({
      status: 'DELIVERED',
      trackingNumber: 'PARCEL-1',
      order: { status: 'CONFIRMED' },
    });
    expect(await ship(otherVendor, other)).toMatchObject({
      status: 'SHIPPED',
      trackingNumber: null,
      order: { status: 'SHIPPED' },
    });
    expect(await deliver(otherVendor, other)).toMatchObject({ order: { status: 'DELIVERED' } });
    expect(await refundsOf(orderId)).toEqual([]);
  });

  it('a transition that the status does not allow is refused with the status, and changes nothing', async () => {
    const unpaid = await buy(false);
    const wrong = (status: string) => ({ __typename: 'WrongShopOrderStatus', status });
    for (const step of [ship, deliver, cancelShopOrder]) {
      expect(await step(vendor, unpaid.mine)).toMatchObject(wrong('PENDING'));
    }
    const { orderId, mine } = await buy();
    expect(await deliver(vendor, mine)).toMatchObject(wrong('CONFIRMED'));
    await ship(vendor, mine);
    for (const step of [ship, cancelShopOrder]) {
      expect(await step(vendor, mine)).toMatchObject(wrong('SHIPPED'));
    }
    await deliver(vendor, mine);
    for (const step of [ship, deliver, cancelShopOrder]) {
      expect(await step(vendor, mine)).toMatchObject(wrong('DELIVERED'));
    }
    expect(await refundsOf(orderId)).toEqual([]);
    const { mine: cancelled } = await buy();
    await cancelShopOrder(vendor, cancelled);
    for (const step of [ship, deliver, cancelShopOrder]) {
      expect(await step(vendor, cancelled)).toMatchObject(wrong('CANCELLED'));
    }
    await cancel(unpaid.orderId);
  });

  it('a shop cancels its shop order: it is refunded and its units return, the other’s stay', async () => {
    const before = [await leftOf(shop), await leftOf(otherShop)] as const;
    const { orderId, mine, other } = await buy();
    expect(await cancelShopOrder(otherVendor, other)).toMatchObject({
      __typename: 'ShopOrder',
      status: 'CANCELLED',
      order: { status: 'CONFIRMED' },
    });
    expect(await refundsOf(orderId)).toEqual([['0.99', 'BY_SHOP']]);
    await untilAvailable(otherShop, before[1]);
    expect(await leftOf(shop)).toBe(before[0] - 3);
    expect(await ship(vendor, mine)).toMatchObject({ order: { status: 'SHIPPED' } });
  });

  it('the order is cancelled with its last shop order', async () => {
    const { orderId, mine, other } = await buy();
    await cancelShopOrder(vendor, mine);
    expect(await cancelShopOrder(otherVendor, other)).toMatchObject({
      order: { status: 'CANCELLED' },
    });
    expect(await refundsOf(orderId)).toEqual([
      ['30.30', 'BY_SHOP'],
      ['0.99', 'BY_SHOP'],
    ]);
    const { data } = await system.graphql(
      'query ($id: UUID!) { order(id: $id) { cancelReason } }',
      { id: orderId },
      customer.token,
    );
    expect(data.order.cancelReason).toBe('BY_SHOP');
  });

  it('a customer cancels a paid order: it is refunded in full and all units return', async () => {
    const before = [await leftOf(shop), await leftOf(otherShop)] as const;
    const { orderId } = await buy();
    expect(await cancel(orderId)).toEqual({
      __typename: 'Order',
      status: 'CANCELLED',
      cancelReason: 'BY_CUSTOMER',
      shopOrders: [{ status: 'CANCELLED' }, { status: 'CANCELLED' }],
    });
    expect(await refundsOf(orderId)).toEqual([
      ['30.30', 'BY_CUSTOMER'],
      ['0.99', 'BY_CUSTOMER'],
    ]);
    await untilAvailable(shop, before[0]);
    await untilAvailable(otherShop, before[1]);
    expect(await cancel(orderId)).toMatchObject({
      __typename: 'OrderNotCancellable',
      status: 'CANCELLED',
    });
    expect(await refundsOf(orderId)).toHaveLength(2);
  });

  it('a cancellation locks the purchase counters in the same order as a checkout', async () => {
    const [first, second] = [shop, otherShop].sort((a, b) => (a.shopId < b.shopId ? -1 : 1));
    const { orderId } = await buy(true, [second as Shop, first as Shop]);
    const lock = (of: Shop | undefined) =>
      database.query(
        'select 1 from purchase where customer_id = $1 and shop_id = $2 for update nowait',
        [customer.id, of?.shopId],
      );
    await database.query('begin');
    await lock(first);
    const cancelled = cancel(orderId);
    await someoneWaits(database);
    await expect(lock(second)).resolves.toBeDefined();
    await database.query('commit');
    expect(await cancelled).toMatchObject({ status: 'CANCELLED' });
  });

  it('a cancellation during the payment gets TRY_AGAIN, and succeeds afterwards', async () => {
    const { orderId } = await buy(false);
    const paymentId = randomUUID();
    const commit = 'mutation ($r: [CommitInput!]!) { commitReservation(requests: $r) { state } }';
    const variables = { r: [{ orderId, paymentId }] };
    const url = `http://127.0.0.1:${system.ports.ports.warehouse}/graphql`;
    const secret = system.secrets.callers.ORDER_SECRET as string;
    const headers = { [callerHeader]: callerCredentials('order', secret) };
    await postGraphQL(url, commit, variables, undefined, headers);
    const { errors } = await system.graphql(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id: orderId },
      customer.token,
    );
    expect(errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    expect(await statusOf(orderId)).toBe('PENDING');
    await database.query(
      `with paid as (insert into payment (id, order_id, customer_id, amount, status, provider)
         select $2, id, customer_id, total_amount, 'COMPLETED', 'sandbox'
         from customer_order where id = $1),
       shop_orders as (update shop_order set status = 'CONFIRMED' where order_id = $1),
       history as (insert into order_event (customer_id, id, order_id, type, actor)
         select customer_id, gen_random_uuid(), id, 'CONFIRMED', 'payments'
         from customer_order where id = $1),
       hold as (update customer_hold set open_orders = 0, open_units = '{}'
         where customer_id = (select customer_id from customer_order where id = $1))
       update customer_order set status = 'CONFIRMED' where id = $1`,
      [orderId, paymentId],
    );
    expect(await cancel(orderId)).toMatchObject({ status: 'CANCELLED' });
    expect(await refundsOf(orderId)).toEqual([
      ['30.30', 'BY_CUSTOMER'],
      ['0.99', 'BY_CUSTOMER'],
    ]);
  });

  it('a customer cancels after a shop did: only the rest is refunded', async () => {
    const { orderId, mine } = await buy();
    await cancelShopOrder(vendor, mine);
    expect(await cancel(orderId)).toMatchObject({ cancelReason: 'BY_CUSTOMER' });
    expect(await refundsOf(orderId)).toEqual([
      ['30.30', 'BY_SHOP'],
      ['0.99', 'BY_CUSTOMER'],
    ]);
  });

  it('a customer cannot cancel an order once a part of it is shipped', async () => {
    const { orderId, mine } = await buy();
    await ship(vendor, mine);
    expect(await cancel(orderId)).toEqual({
      __typename: 'OrderNotCancellable',
      message: 'The order, or a part of it, has been shipped and cannot be cancelled.',
      status: 'CONFIRMED',
    });
    expect(await refundsOf(orderId)).toEqual([]);
    await deliver(vendor, mine);
    expect(await cancel(orderId)).toMatchObject({ __typename: 'OrderNotCancellable' });
  });

  it('only its shop and an admin can change a shop order', async () => {
    const { mine, orderId } = await buy();
    const admin = await logIn(system, 'ada');
    const { refused } = actAs(system, otherVendor);
    const input = { id: mine };
    expect(await refused('shipShopOrder', 'ShipShopOrderInput', input)).toMatchObject({
      code: 'FORBIDDEN',
    });
    for (const person of [customer, otherVendor]) {
      const { errors } = await system.graphql(
        'mutation ($id: UUID!) { deliverShopOrder(id: $id) { __typename } }',
        { id: mine },
        person.token,
      );
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
      const { refused: refusedTo } = actAs(system, person);
      const cancellation = { id: mine, reason: 'OTHER' };
      expect(
        await refusedTo('cancelShopOrder', 'CancelShopOrderInput', cancellation),
      ).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await statusOf(orderId)).toBe('CONFIRMED');
    expect(await ship(admin, mine)).toMatchObject({ status: 'SHIPPED' });
  });

  it(
    'of a shop that ships and a customer who cancels at the same time, exactly one succeeds',
    async () => {
      for (let round = 0; round < 20; round++) {
        const { orderId, mine } = await buy(true, [shop]);
        const [shipped, cancelled] = await Promise.all(
          round % 2
            ? [ship(vendor, mine), cancel(orderId)]
            : [cancel(orderId), ship(vendor, mine)].reverse(),
        );
        const won = [shipped.__typename === 'ShopOrder', cancelled.__typename === 'Order'];
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await statusOf(orderId)).toBe(won[0] ? 'SHIPPED' : 'CANCELLED');
        expect(await refundsOf(orderId)).toHaveLength(won[0] ? 0 : 1);
      }
    },
    roundsMaxMs,
  );

  it(
    'two shops cancel at the same time: the order is cancelled and refunded in full',
    async () => {
      for (let round = 0; round < 20; round++) {
        const { orderId, mine, other } = await buy();
        await Promise.all([cancelShopOrder(vendor, mine), cancelShopOrder(otherVendor, other)]);
        expect(await statusOf(orderId)).toBe('CANCELLED');
        const refunds = await refundsOf(orderId);
        expect(refunds.map(([amount]) => amount).toSorted()).toEqual(['0.99', '30.30']);
      }
    },
    roundsMaxMs,
  );

  it(
    'two shops ship at the same time: neither change is lost',
    async () => {
      for (let round = 0; round < 20; round++) {
        const { orderId, mine, other } = await buy();
        await Promise.all([ship(vendor, mine), ship(otherVendor, other)]);
        expect(await statusOf(orderId)).toBe('SHIPPED');
      }
    },
    roundsMaxMs,
  );
});
