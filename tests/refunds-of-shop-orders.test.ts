import { randomUUID } from 'node:crypto';
import { openPayments, type TestPayments } from './harness/payments.js';
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

type Shop = Awaited<ReturnType<typeof openShop>>;
interface Line {
  readonly itemId: string;
  readonly quantity: number;
}

const refundFields = `__typename
  ... on Refund { id amount { amount currencyCode } reason status }
  ... on RefundTooHigh { message refundable { amount } }
  ... on PaymentDisputed { message disputeStatus reason }`;
const shopOrderFields = `__typename
  ... on ShopOrder { status items { sku: variant { sku } quantity cancelledQuantity lineTotal { amount } } }
  ... on WrongShopOrderStatus { status }`;
const viewFields = `status cancelReason total { amount }
  shopOrders { id status subtotal { amount } refunded { amount currencyCode }
    items { id quantity cancelledQuantity lineTotal { amount } }
    refunds { edges { node { amount { amount } reason status } } } }
  payments { edges { node { id status refunds { amount { amount } } } } }
  history(first: 100) { edges { node { type reason shopOrderId } } }`;

describe('a paid shop order', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let vendor: Person;
  let otherVendor: Person;
  let admin: Person;
  let customer: Person;
  let shop: Shop;
  let otherShop: Shop;
  beforeAll(async () => {
    system = await startSystem();
    payments = await openPayments(system);
    [vendor, otherVendor, admin] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
      logIn(system, 'ada'),
    ]);
    shop = await openShop(system, vendor, [1000], '10.00');
    otherShop = await openShop(system, otherVendor, [1000], '5.00');
  });
  beforeEach(async () => {
    customer = await registerPerson(system);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await payments.close();
    await system.stop();
  });

  const look = (id: string, { token } = customer) =>
    actAs(system, { token } as Person).must(
      `query ($id: UUID!) { order(id: $id) { ${viewFields} } }`,
      { id },
    );
  async function buy({ units = 3, of = [shop], method = 'Credit Card', isPaid = true } = {}) {
    const lines = of.map(({ offerId }) => ({ offerId, quantity: units }));
    const orderId: string = (await checkout(system, customer, lines)).data.checkout.order.id;
    if (isPaid) await pay(system, customer, orderId, method);
    const { shopOrders } = await look(orderId);
    const mine = shopOrders.find(
      ({ subtotal }: { subtotal: { amount: string } }) => subtotal.amount === `${units * 10}.00`,
    );
    return { orderId, id: mine.id as string, itemId: mine.items[0].id as string };
  }
  const refund = (input: object, person = vendor) =>
    actAs(system, person).mutate(
      'refundShopOrder',
      'RefundShopOrderInput',
      { reason: 'a scratch', idempotencyKey: randomUUID(), ...input },
      refundFields,
    );
  const cancel = (id: string, lines?: Line[], more: object = {}) =>
    actAs(system, vendor).mutate(
      'cancelShopOrder',
      'CancelShopOrderInput',
      { id, lines, reason: 'CUSTOMER_REQUEST', idempotencyKey: randomUUID(), ...more },
      shopOrderFields,
    );
  const ship = (id: string) =>
    actAs(system, vendor).mutate('shipShopOrder', 'ShipShopOrderInput', { id }, shopOrderFields);
  const shopOrderOf = async (orderId: string, at = 0) => (await look(orderId)).shopOrders[at];
  const amounts = ({
    refunds,
  }: {
    refunds: { edges: { node: { amount: { amount: string } } }[] };
  }) => refunds.edges.map(({ node }) => node.amount.amount);
  /** What the provider returned. */
  const returned = async (orderId: string) => {
    const [{ node }] = (await look(orderId)).payments.edges;
    const inSandbox = await payments.sandboxPaymentOf(node.id);
    return inSandbox?.refunds.map(({ amount }: { amount: string }) => amount) ?? [];
  };
  const untilAvailable = (units: number, of = shop) =>
    eventually(
      () => availableOf(system, of.offerId),
      (available) => available === units,
    );

  it('is cancelled in part: the units are refunded and for sale again, and the others are shipped', async () => {
    const before = await availableOf(system, shop.offerId);
    const { orderId, id, itemId } = await buy();
    expect(await cancel(id, [{ itemId, quantity: 2 }], { note: 'one is enough' })).toEqual({
      __typename: 'ShopOrder',
      status: 'CONFIRMED',
      items: [
        {
          sku: { sku: shop.sku },
          quantity: 3,
          cancelledQuantity: 2,
          lineTotal: { amount: '30.00' },
        },
      ],
    });
    await untilAvailable(before - 1);
    await eventually(
      () => returned(orderId),
      (sent) => sent.length === 1,
    );
    expect(await returned(orderId)).toEqual(['20.00']);
    const view = await look(orderId);
    expect(view).toMatchObject({
      status: 'CONFIRMED',
      total: { amount: '30.00' },
      shopOrders: [
        { subtotal: { amount: '30.00' }, refunded: { amount: '20.00', currencyCode: 'USD' } },
      ],
    });
    const history = view.history.edges.map(({ node }: { node: object }) => node);
    expect(history).toContainEqual({
      type: 'UNITS_CANCELLED',
      shopOrderId: id,
      reason: `2 × ${shop.sku}; CUSTOMER_REQUEST: one is enough`,
    });
    expect(history).toContainEqual({
      type: 'REFUND_REQUESTED',
      shopOrderId: id,
      reason: '20.00 USD: BY_SHOP',
    });
    expect(await ship(id)).toMatchObject({ status: 'SHIPPED' });
  });

  it('is CANCELLED once the last unit is', async () => {
    const { orderId, id, itemId } = await buy();
    await cancel(id, [{ itemId, quantity: 2 }]);
    expect(await cancel(id, [{ itemId, quantity: 1 }])).toMatchObject({ status: 'CANCELLED' });
    expect(await look(orderId)).toMatchObject({
      status: 'CANCELLED',
      cancelReason: 'BY_SHOP',
      shopOrders: [{ status: 'CANCELLED', refunded: { amount: '30.00' } }],
    });
  });

  it('is cancelled by the customer after the shop cancelled a part: the rest is refunded', async () => {
    const before = await availableOf(system, shop.offerId);
    const { orderId, id, itemId } = await buy({ of: [shop, otherShop] });
    await cancel(id, [{ itemId, quantity: 1 }]);
    await actAs(system, customer).must(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id: orderId },
    );
    await untilAvailable(before);
    const { shopOrders, payments: paid } = await eventually(
      () => look(orderId),
      (order) => order.payments.edges[0].node.status === 'REFUNDED',
    );
    expect(paid.edges[0].node.refunds).toHaveLength(3);
    const refunded = shopOrders.map(
      (each: { refunded: { amount: string } }) => each.refunded.amount,
    );
    expect(refunded.toSorted()).toEqual(['15.00', '30.00']);
    for (const { items } of shopOrders) expect(items[0].cancelledQuantity).toBe(3);
  });

  it('gives the purchase limit back for the units that are cancelled', async () => {
    const limited = await openShop(system, vendor, [10], '10.00', 3);
    const { id, itemId } = await buy({ of: [limited] });
    const again = () => checkout(system, customer, [{ offerId: limited.offerId, quantity: 2 }]);
    expect((await again()).data.checkout.__typename).toBe('PurchaseLimitExceeded');
    await cancel(id, [{ itemId, quantity: 2 }]);
    expect((await again()).data.checkout.__typename).toBe('CheckoutSuccess');
  });

  it('loses missing units by the reason of the cancellation', async () => {
    const before = await availableOf(system, shop.offerId);
    const { id, itemId } = await buy();
    await cancel(id, [{ itemId, quantity: 1 }], { reason: 'OUT_OF_STOCK' });
    await cancel(id, [{ itemId, quantity: 1 }]);
    await untilAvailable(before - 2);
  });

  it('is refunded by units of a line, exactly, before and after it is shipped', async () => {
    const { orderId, id, itemId } = await buy();
    expect(await refund({ shopOrderId: id, lines: [{ itemId, quantity: 1 }] })).toMatchObject({
      __typename: 'Refund',
      amount: { amount: '10.00', currencyCode: 'USD' },
      reason: 'a scratch',
      status: 'PENDING',
    });
    await ship(id);
    await refund({ shopOrderId: id, lines: [{ itemId, quantity: 1 }] }, admin);
    await eventually(
      () => returned(orderId),
      (sent) => sent.length === 2,
    );
    const { status, items, refunded } = await shopOrderOf(orderId);
    expect([status, refunded.amount]).toEqual(['SHIPPED', '20.00']);
    expect(items).toMatchObject([{ quantity: 3, cancelledQuantity: 0 }]);
    expect(await refund({ shopOrderId: id, lines: [{ itemId, quantity: 2 }] })).toEqual({
      __typename: 'RefundTooHigh',
      message: `2 of 3 units of ${shop.sku} were already refunded; 2 more cannot be.`,
      refundable: { amount: '10.00' },
    });
  });

  it('is refunded by amounts up to what was captured for it, not for other shops', async () => {
    const { orderId, id } = await buy({ of: [shop, otherShop] });
    expect(await refund({ shopOrderId: id, amount: '12.34' })).toMatchObject({
      amount: { amount: '12.34' },
    });
    const tooHigh = {
      __typename: 'RefundTooHigh',
      message: '17.67 USD is more than the 17.66 USD that can still be refunded.',
      refundable: { amount: '17.66' },
    };
    expect(await refund({ shopOrderId: id, amount: '17.67' })).toEqual(tooHigh);
    expect(await refund({ shopOrderId: id, amount: '17.66' })).toMatchObject({
      __typename: 'Refund',
    });
    expect(await refund({ shopOrderId: id, amount: '0.01' })).toMatchObject({
      __typename: 'RefundTooHigh',
      refundable: { amount: '0.00' },
    });
    await eventually(
      () => returned(orderId),
      (sent) => sent.length === 2,
    );
    expect((await look(orderId)).payments.edges[0].node.status).toBe('COMPLETED');
  });

  it('that was refunded an amount returns the rest once it is cancelled', async () => {
    const { orderId, id } = await buy();
    await refund({ shopOrderId: id, amount: '4.00' });
    await cancel(id);
    expect(amounts(await shopOrderOf(orderId))).toEqual(['4.00', '26.00']);
    await eventually(
      () => look(orderId),
      (order) => order.payments.edges[0].node.status === 'REFUNDED',
    );
  });

  it('does not refund a unit again that is cancelled after its price was refunded', async () => {
    const { orderId, id, itemId } = await buy();
    await refund({ shopOrderId: id, lines: [{ itemId, quantity: 2 }] });
    await cancel(id, [{ itemId, quantity: 1 }]);
    expect(amounts(await shopOrderOf(orderId))).toEqual(['20.00']);
    await cancel(id, [{ itemId, quantity: 2 }]);
    expect(amounts(await shopOrderOf(orderId))).toEqual(['20.00', '10.00']);
  });

  it('is refunded once for each key', async () => {
    const { orderId, id } = await buy();
    const input = { shopOrderId: id, amount: '1.00', idempotencyKey: randomUUID() };
    const replies = await Promise.all([refund(input), refund(input), refund(input)]);
    expect(new Set(replies.map((reply) => reply.id)).size).toBe(1);
    expect(amounts(await shopOrderOf(orderId))).toEqual(['1.00']);
  });

  it('is refunded no more than its price by requests of the same moment', async () => {
    const { orderId, id, itemId } = await buy();
    const replies = await Promise.all([
      ...Array.from({ length: 4 }, () => refund({ shopOrderId: id, amount: '7.00' })),
      ...Array.from({ length: 4 }, () =>
        refund({ shopOrderId: id, lines: [{ itemId, quantity: 1 }] }),
      ),
      cancel(id, [{ itemId, quantity: 1 }]),
    ]);
    expect(replies.map(({ __typename }) => __typename)).toContain('RefundTooHigh');
    expect(Number((await shopOrderOf(orderId)).refunded.amount)).toBeLessThanOrEqual(30);
  });

  it('is refunded in every status that it has once it is paid', async () => {
    const { orderId, id } = await buy();
    const refundOne = async () => (await refund({ shopOrderId: id, amount: '1.00' })).__typename;
    expect(await refundOne()).toBe('Refund');
    await ship(id);
    expect(await refundOne()).toBe('Refund');
    await actAs(system, vendor).must(
      'mutation ($id: UUID!) { deliverShopOrder(id: $id) { __typename } }',
      { id },
    );
    expect(await refundOne()).toBe('Refund');
    const cancelled = await buy();
    await cancel(cancelled.id);
    // Nothing is left of it.
    expect(await refund({ shopOrderId: cancelled.id, amount: '1.00' })).toMatchObject({
      __typename: 'RefundTooHigh',
      refundable: { amount: '0.00' },
    });
    expect((await shopOrderOf(orderId)).refunded.amount).toBe('3.00');
  });

  it.each([
    ['INQUIRY', 'ShopOrder', 'Refund'],
    ['CLOSED', 'ShopOrder', 'Refund'],
    ['OPEN', 'PaymentDisputed', 'PaymentDisputed'],
    ['WON', 'ShopOrder', 'Refund'],
    ['LOST', 'PaymentDisputed', 'PaymentDisputed'],
  ] as const)(
    'with a dispute that is %s: shipping answers %s, a refund %s',
    async (status, shipped, refunded) => {
      const { orderId, id } = await buy();
      const [{ node }] = (await look(orderId)).payments.edges;
      if (status === 'CLOSED') await payments.dispute(node.id, 'INQUIRY');
      if (status === 'WON' || status === 'LOST') await payments.dispute(node.id, 'OPEN');
      await payments.dispute(node.id, status);
      await eventually(
        () => payments.disputesOf(orderId),
        ([dispute]) => dispute?.status === status,
      );
      expect((await refund({ shopOrderId: id, amount: '1.00' })).__typename).toBe(refunded);
      expect((await ship(id)).__typename).toBe(shipped);
    },
  );

  it('whose payment is disputed is not refunded', async () => {
    const { orderId, id } = await buy();
    const [{ node }] = (await look(orderId)).payments.edges;
    await payments.dispute(node.id, 'OPEN');
    const refusal = await eventually(
      () => refund({ shopOrderId: id, amount: '1.00' }),
      ({ __typename }) => __typename === 'PaymentDisputed',
    );
    expect(refusal).toMatchObject({
      disputeStatus: 'OPEN',
      message:
        'The customer disputes the payment. Wait until the dispute is decided, and use a new idempotency key.',
    });
  });

  it('that is not paid has nothing to refund', async () => {
    const { id } = await buy({ isPaid: false });
    expect(await refund({ shopOrderId: id, amount: '1.00' })).toEqual({
      __typename: 'RefundTooHigh',
      message: 'The shop order was not paid.',
      refundable: { amount: '0.00' },
    });
    expect(await cancel(id)).toEqual({ __typename: 'WrongShopOrderStatus', status: 'PENDING' });
  });

  it.each<[string, (itemId: string) => object, string, string]>([
    [
      'neither lines nor an amount',
      () => ({}),
      'input.amount',
      'is required, unless there are `lines`',
    ],
    [
      'both lines and an amount',
      (itemId) => ({ lines: [{ itemId, quantity: 1 }], amount: '1.00' }),
      'input.amount',
      'is not possible together with `lines`',
    ],
    [
      'an amount of 0',
      () => ({ amount: '0.00' }),
      'input.amount',
      'is 0 USD; only more than 0 can be refunded',
    ],
    [
      'more decimals than the currency has',
      () => ({ amount: '1.005' }),
      'input.amount',
      'must be a multiple of 0.01, such as 1.01',
    ],
    [
      'a line of another order',
      () => ({ lines: [{ itemId: '01a19467-e800-77c1-8019-000000000000', quantity: 1 }] }),
      'input.lines[0].itemId',
      '01a19467-e800-77c1-8019-000000000000 is not a line of the shop order',
    ],
    [
      'a line twice',
      (itemId) => ({
        lines: [
          { itemId, quantity: 1 },
          { itemId, quantity: 1 },
        ],
      }),
      'input.lines[1].itemId',
      'is named twice',
    ],
    [
      'no unit of a line',
      (itemId) => ({ lines: [{ itemId, quantity: 0 }] }),
      'input.lines[0].quantity',
      'must not be less than 1',
    ],
  ])('refuses a refund of %s', async (_, input, place, problem) => {
    const { orderId, id, itemId } = await buy();
    const { errors } = await system.graphql(
      `mutation ($input: RefundShopOrderInput!) { refundShopOrder(input: $input) { __typename } }`,
      {
        input: { shopOrderId: id, reason: 'x', idempotencyKey: randomUUID(), ...input(itemId) },
      },
      vendor.token,
    );
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(errors?.[0]?.extensions.fields?.[place]).toContain(problem);
    expect(amounts(await shopOrderOf(orderId))).toEqual([]);
  });

  it('refuses a cancellation of more units than are left', async () => {
    const { orderId, id, itemId } = await buy();
    await cancel(id, [{ itemId, quantity: 2 }]);
    const { errors } = await system.graphql(
      `mutation ($input: CancelShopOrderInput!) { cancelShopOrder(input: $input) { __typename } }`,
      { input: { id, reason: 'OTHER', lines: [{ itemId, quantity: 2 }], idempotencyKey: 'k' } },
      vendor.token,
    );
    expect(errors?.[0]?.extensions.fields).toEqual({
      'input.lines[0].quantity': 'is more than is left: 3 ordered, 2 cancelled, 1 left',
    });
    expect((await shopOrderOf(orderId)).items[0].cancelledQuantity).toBe(2);
  });

  it('refuses a cancellation of lines without an idempotency key: a repeat would cancel more', async () => {
    const { orderId, id, itemId } = await buy();
    const { errors } = await system.graphql(
      `mutation ($input: CancelShopOrderInput!) { cancelShopOrder(input: $input) { __typename } }`,
      { input: { id, reason: 'OTHER', lines: [{ itemId, quantity: 1 }] } },
      vendor.token,
    );
    expect(errors?.[0]?.extensions.fields).toEqual({
      'input.idempotencyKey': 'is required with `lines`',
    });
    expect((await shopOrderOf(orderId)).items[0].cancelledQuantity).toBe(0);
  });

  it('whose refund failed is refunded the units again, and a retry does not return them twice', async () => {
    const { orderId, id, itemId } = await buy({ method: 'Failing Refund' });
    const lines = [{ itemId, quantity: 2 }];
    const { id: failedId } = await refund({ shopOrderId: id, lines });
    await eventually(
      () => shopOrderOf(orderId),
      ({ refunds }) => refunds.edges[0].node.status === 'FAILED',
    );
    expect((await shopOrderOf(orderId)).refunded.amount).toBe('0.00');
    const why =
      'query ($id: UUID!) { order(id: $id) { shopOrders { refunds { edges { node { failureReason failureCode } } } } } }';
    const whyFor = async (person: Person) =>
      (await actAs(system, person).must(why, { id: orderId })).shopOrders[0].refunds.edges[0].node;
    const failureReason = 'CARD_CLOSED';
    expect(await whyFor(customer)).toEqual({ failureReason, failureCode: null });
    expect(await whyFor(vendor)).toEqual({ failureReason, failureCode: null });
    expect(await whyFor(admin)).toEqual({ failureReason, failureCode: 'expired_or_canceled_card' });
    expect(await refund({ shopOrderId: id, lines })).toMatchObject({ __typename: 'Refund' });
    const retry = `mutation ($id: UUID!) { retryRefund(id: $id) { __typename ... on Refund { status amount { amount } } } }`;
    expect(await actAs(system, admin).must(retry, { id: failedId })).toEqual({
      __typename: 'Refund',
      status: 'CANCELLED',
      amount: { amount: '20.00' },
    });
    expect((await shopOrderOf(orderId)).refunded.amount).not.toBe('40.00');
  });

  it('returns what a bank returned late, though other units were refunded before', async () => {
    const { orderId, id, itemId } = await buy({ method: 'Late Failing Refund' });
    const one = { shopOrderId: id, lines: [{ itemId, quantity: 1 }] };
    const { id: failedId } = await refund(one);
    await refund(one);
    await eventually(
      () => shopOrderOf(orderId),
      ({ refunds }) =>
        refunds.edges.every(({ node }: { node: { status: string } }) => node.status === 'FAILED'),
    );
    const retry = `mutation ($id: UUID!) { retryRefund(id: $id) { ... on Refund { status amount { amount } } } }`;
    expect(await actAs(system, admin).must(retry, { id: failedId })).toEqual({
      status: 'PENDING',
      amount: { amount: '10.00' },
    });
  });

  it('that is refunded in full stays paid: a repeated payment gets its success', async () => {
    const { orderId, id } = await buy({ isPaid: false });
    const key = randomUUID();
    const paid = (await pay(system, customer, orderId, 'Credit Card', key)).data.payOrder;
    await refund({ shopOrderId: id, amount: '30.00' });
    await eventually(
      () => look(orderId),
      (order) => order.payments.edges[0].node.status === 'REFUNDED',
    );
    const again = (await pay(system, customer, orderId, 'Credit Card', key)).data.payOrder;
    expect(again).toMatchObject({
      __typename: 'PaymentSuccess',
      order: { status: 'CONFIRMED' },
      payment: { id: paid.payment.id },
    });
  });

  it('is refunded by nobody but its shop and admins', async () => {
    const { orderId, id } = await buy();
    const send = ({ token }: Person) =>
      system.graphql(
        `mutation ($input: RefundShopOrderInput!) { refundShopOrder(input: $input) { __typename } }`,
        { input: { shopOrderId: id, amount: '1.00', reason: 'x', idempotencyKey: randomUUID() } },
        token,
      );
    for (const person of [otherVendor, customer]) {
      expect((await send(person)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    }
    expect(amounts(await shopOrderOf(orderId))).toEqual([]);
  });
});
