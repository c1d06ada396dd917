import { nodes, nodesOf } from './harness/connections.js';
import {
  availableOf,
  checkout,
  logIn,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

describe('journeys of customers, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem({ RESERVATION_MINUTES: '0.1', PAYMENT_TIMEOUT_SECONDS: '2' });
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const orderOf = async (person: Person, id: string) => {
    const { data } = await system.graphql(
      `query ($id: UUID!) { order(id: $id) {
         status cancelReason total { amount currencyCode } customer { id name }
         shopOrders { id status shop { id } subtotal { amount } items { name quantity variant { sku } } }
         payments { ${nodes('status method')} } } }`,
      { id },
      person.token,
    );
    return data.order && { ...data.order, payments: nodesOf(data.order.payments) };
  };

  it('a customer registers, checks out and pays, and the units leave the stock when they are shipped', async () => {
    const { offerId, sku, shopId, warehouseIds } = await openShop(system, vendor, [5, 5], '12.34');
    const customer = await registerPerson(system);
    const me = await system.graphql('{ me { id email role } }', {}, customer.token);
    expect(me.data.me).toMatchObject({ id: customer.id, role: 'CUSTOMER' });

    const placed = await checkout(system, customer, [{ offerId, quantity: 3 }]);
    const { order } = placed.data.checkout;
    expect(order).toMatchObject({
      status: 'PENDING',
      total: { amount: '37.02', currencyCode: 'USD' },
    });
    expect(await availableOf(system, offerId)).toBe(7);

    const paid = await pay(system, customer, order.id);
    expect(paid.data.payOrder).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
      payment: { status: 'COMPLETED', amount: { amount: '37.02' } },
    });
    expect(await orderOf(customer, order.id)).toMatchObject({
      status: 'CONFIRMED',
      customer: { id: customer.id, name: 'Somebody' },
      shopOrders: [{ status: 'CONFIRMED', shop: { id: shopId }, items: [{ variant: { sku } }] }],
    });

    const as = actAs(system, vendor);
    const level = async () => {
      const { stockLevels } = await as.must(
        `query ($id: UUID!) { warehouse(id: $id) { stockLevels(sku: "${sku}") { edges { node {
           onHand reserved committed available isLowStock variant { name } } } } } }`,
        { id: warehouseIds[0] },
      );
      return stockLevels.edges[0].node;
    };
    const low = { reserved: 0, available: 2, isLowStock: true, variant: { name: 'the only one' } };
    expect(await level()).toEqual({ onHand: 5, committed: 3, ...low });

    const { shopOrders } = await orderOf(customer, order.id);
    const shipment = { id: shopOrders[0].id };
    await as.mutate('shipShopOrder', 'ShipShopOrderInput', shipment, '__typename');
    const shipped = await eventually(level, ({ onHand }) => onHand < 5);
    expect(shipped).toEqual({ onHand: 2, committed: 0, ...low });
  });

  it('one order can span several shops, with a shop order for each', async () => {
    const customer = await registerPerson(system);
    const [one, other] = [
      await openShop(system, vendor, [3], '1.10'),
      await openShop(system, vendor, [3], '2.20'),
    ];
    const { data } = await checkout(system, customer, [
      { offerId: one.offerId, quantity: 1 },
      { offerId: other.offerId, quantity: 2 },
    ]);
    const order = await orderOf(customer, data.checkout.order.id);
    expect(order.total.amount).toBe('5.50');
    const subtotals = order.shopOrders.map(
      (shopOrder: { subtotal: { amount: string } }) => shopOrder.subtotal,
    );
    expect(subtotals).toEqual([{ amount: '1.10' }, { amount: '4.40' }]);
    expect(order.shopOrders[0].items).toMatchObject([{ quantity: 1, variant: { sku: one.sku } }]);
  });

  it('a checkout with one short line reserves nothing, and shows the line and the units available', async () => {
    const customer = await registerPerson(system);
    const [plenty, scarce] = [
      await openShop(system, vendor, [9]),
      await openShop(system, vendor, [1]),
    ];
    const items = [
      { offerId: plenty.offerId, quantity: 1 },
      { offerId: scarce.offerId, quantity: 2 },
    ];
    const { data } = await checkout(system, customer, items);
    expect(data.checkout).toMatchObject({
      __typename: 'InsufficientStock',
      lines: [{ offer: { id: scarce.offerId }, requested: 2, available: 1 }],
    });
    expect(await availableOf(system, plenty.offerId)).toBe(9);
    const mine = await system.graphql('{ orders { edges { node { id } } } }', {}, customer.token);
    expect(mine.data.orders.edges).toEqual([]);
  });

  it('a declined payment leaves the order payable', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
    const { id } = data.checkout.order;
    const declined = await pay(system, customer, id, 'Declined Card');
    expect(declined.data.payOrder).toMatchObject({
      __typename: 'PaymentDeclined',
      code: 'GENERIC',
      order: { status: 'PENDING' },
    });
    const paid = await pay(system, customer, id);
    expect(paid.data.payOrder.__typename).toBe('PaymentSuccess');
    const again = await pay(system, customer, id);
    expect(again.data.payOrder).toMatchObject({
      __typename: 'OrderNotPayable',
      status: 'CONFIRMED',
    });
    const payments = (await orderOf(customer, id)).payments;
    expect(payments.map(({ status }: { status: string }) => status)).toEqual([
      'FAILED',
      'COMPLETED',
    ]);
  });

  it('an order that is not paid in time is cancelled, and its stock is released', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 2 }]);
    const { id } = data.checkout.order;
    const order = await eventually(
      () => orderOf(customer, id),
      ({ status }) => status === 'CANCELLED',
    );
    expect(order.cancelReason).toBe('PAYMENT_TIMEOUT');
    expect(await availableOf(system, offerId)).toBe(5);
    const late = await pay(system, customer, id);
    expect(late.data.payOrder).toMatchObject({ __typename: 'OrderExpired' });
  });

  it('a customer cancels an unpaid order, once', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    const cancel = (id: string) =>
      system.graphql(
        `mutation ($id: UUID!) { cancelOrder(id: $id) { __typename
           ... on Order { status cancelReason } ... on OrderNotCancellable { message } } }`,
        { id },
        customer.token,
      );
    const first = (await checkout(system, customer, [{ offerId, quantity: 2 }])).data.checkout
      .order;
    expect((await cancel(first.id)).data.cancelOrder).toEqual({
      __typename: 'Order',
      status: 'CANCELLED',
      cancelReason: 'BY_CUSTOMER',
    });
    expect(await availableOf(system, offerId)).toBe(5);
    expect((await cancel(first.id)).data.cancelOrder.__typename).toBe('OrderNotCancellable');
  });

  it('the same key gets the same order; another request with that key is refused', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    const items = [{ offerId, quantity: 1 }];
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => checkout(system, customer, items, 'key-1')),
    );
    const ids = replies.map(({ data }) => data.checkout.order.id);
    expect(new Set(ids).size).toBe(1);
    expect(await availableOf(system, offerId)).toBe(4);
    const other = await checkout(system, customer, [{ offerId, quantity: 2 }], 'key-1');
    expect(other.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_KEY_REUSED');
    const somebody = await registerPerson(system);
    const theirs = await checkout(system, somebody, items, 'key-1');
    expect(theirs.data.checkout.order.id).not.toBe(ids[0]);
  });

  it('a mutation returns the state after the change, along every path of the response', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    const { data } = await system.graphql(
      `mutation ($input: PayOrderInput!) { payOrder(input: $input) { ... on PaymentSuccess {
         order { status shopOrders { order { status } } } payment { order { status } } } } }`,
      { input: { orderId: id, idempotencyKey: 'k' } },
      customer.token,
    );
    expect(data.payOrder).toEqual({
      order: { status: 'CONFIRMED', shopOrders: [{ order: { status: 'CONFIRMED' } }] },
      payment: { order: { status: 'CONFIRMED' } },
    });
  });

  it('ten payments at the same time, with ten keys, capture once', async () => {
    const customer = await registerPerson(system);
    const { offerId } = await openShop(system, vendor, [5]);
    const { id } = (await checkout(system, customer, [{ offerId, quantity: 1 }])).data.checkout
      .order;
    const replies = await Promise.all(Array.from({ length: 10 }, () => pay(system, customer, id)));
    for (const { errors } of replies) expect(errors).toBeUndefined();
    const order = await eventually(
      () => orderOf(customer, id),
      ({ status }) => status === 'CONFIRMED',
    );
    expect(order.payments).toEqual([{ status: 'COMPLETED', method: 'Credit Card' }]);
  });

  it('nobody can buy without a token, or see another customer’s order', async () => {
    const { offerId } = await openShop(system, vendor, [5]);
    const nobody = { id: '', token: '' };
    const refused = await checkout(system, nobody, [{ offerId, quantity: 1 }]);
    expect(refused.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
    expect(await availableOf(system, offerId)).toBe(5);

    const [owner, stranger] = [await registerPerson(system), await registerPerson(system)];
    const { id } = (await checkout(system, owner, [{ offerId, quantity: 1 }])).data.checkout.order;
    expect(await orderOf(stranger, id)).toBeNull();
    expect((await pay(system, stranger, id)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const cancel = await system.graphql(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id },
      stranger.token,
    );
    expect(cancel.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    expect((await orderOf(owner, id)).status).toBe('PENDING');
    const orders = await system.graphql(
      'query ($id: UUID!) { order(id: $id) { customer { email orders { edges { node { id } } } } } }',
      { id },
      (await logIn(system, 'ada')).token,
    );
    expect(orders.data.order.customer.orders.edges).toHaveLength(1);
  });

  it('a login works by e-mail in any case and by phone, and a refusal does not reveal what was wrong', async () => {
    const login = async (identifier: string, password: string) => {
      const { data } = await system.graphql(
        `mutation ($input: LoginInput!) { login(input: $input) { __typename
           ... on Session { user { name email phone } } ... on Refusal { message } } }`,
        { input: { identifier, password } },
      );
      return data.login;
    };
    const ana = { name: 'Ana Customer', email: 'ana@example.com', phone: '+12025550143' };
    for (const identifier of ['ana@example.com', 'ANA@Example.COM', '+1 (202) 555-0143']) {
      expect(await login(identifier, 'holdfast-demo')).toMatchObject({ user: ana });
    }
    const wrong = await login('ana@example.com', 'not-the-password');
    expect(wrong.__typename).toBe('InvalidCredentials');
    expect(await login('nobody@example.com', 'holdfast-demo')).toEqual(wrong);
    expect(await login('not an identifier', 'holdfast-demo')).toEqual(wrong);
    const taken = await system.graphql(
      `mutation ($input: RegisterInput!) { register(input: $input) { __typename } }`,
      { input: { name: 'Other', email: 'ANA@example.com', password: 'secret-1' } },
    );
    expect(taken.data.register.__typename).toBe('IdentityTaken');
  });
});
