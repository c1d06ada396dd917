import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { nodes, nodesOf } from './harness/connections.js';
import { buy, placeOrder, shopOrderOf } from './harness/orders.js';
import { openPayments, type TestPayments } from './harness/payments.js';
import {
  address,
  availableOf,
  checkout,
  checkoutWith,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { retry } from './harness/retry.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

const onHandMax = 100_000_000;
const intMax = 2_147_483_647;

describe('the stock of a shop after a sale, through the router', () => {
  let system: TestSystem;
  let payments: TestPayments;
  let warehouse: pg.Client;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem();
    payments = await openPayments(system);
    warehouse = new pg.Client({ connectionString: system.databases.warehouse });
    await warehouse.connect();
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await Promise.all([payments.close(), warehouse.end()]);
    await system.stop();
  });

  /** A shop with units of one variant in one warehouse. */
  async function open(units: number) {
    const shop = await openShop(system, vendor, [units]);
    return { ...shop, warehouseId: shop.warehouseIds[0] as string };
  }
  type Shop = Awaited<ReturnType<typeof open>>;
  const levelOf = async ({ warehouseId }: Shop) => (await as.levels(warehouseId))[0];
  const sell = (shop: Shop, quantity: number) => buy(system, customer, quantity, shop);
  const adjust = ({ warehouseId, sku }: Shop, input: object) =>
    as.mutate(
      'adjustStock',
      'AdjustStockInput',
      { warehouseId, sku, reason: 'counted', ...input },
      '__typename',
    );
  const count = async (shop: Shop, setTo: number, expectedOnHand: number) => {
    const { __typename } = await adjust(shop, { setTo, expectedOnHand });
    expect(__typename).toBe('StockLevel');
  };
  const ship = async (orderId: string) => {
    const id = await shopOrderOf(system, vendor, orderId);
    return as.mutate('shipShopOrder', 'ShipShopOrderInput', { id }, '__typename');
  };
  const cancel = async (orderId: string, reason: string, note?: string) => {
    const id = await shopOrderOf(system, vendor, orderId);
    const input = { id, reason, ...(note && { note }) };
    expect(await as.must(cancelShopOrderMutation, { input })).toEqual({ __typename: 'ShopOrder' });
    return id;
  };
  const orderOf = (orderId: string, person = customer) =>
    actAs(system, person).must(
      `query ($id: UUID!) { order(id: $id) {
         status cancelReason history { ${nodes('type shopOrderId actor reason')} } } }`,
      { id: orderId },
    );
  const refusal = async (shop: Shop, quantity: number) => {
    const { data } = await checkout(system, customer, [{ offerId: shop.offerId, quantity }]);
    const { __typename, lines } = data.checkout;
    expect(__typename).toBe('InsufficientStock');
    return lines[0];
  };

  const counts: [string, (shop: Shop) => Promise<unknown>][] = [
    ['adjustStock', (shop) => count(shop, 10, 10)],
    [
      'a CSV file',
      async ({ warehouseId, sku }) => {
        const { status, body } = await as.putStock(warehouseId, `sku,quantity\n${sku},10\n`);
        expect([status, body.lines]).toEqual([200, 1]);
      },
    ],
  ];
  it.each(counts)('a count by %s puts no paid unit on sale again', async (_, countTen) => {
    const shop = await open(10);
    await sell(shop, 4);
    expect(await levelOf(shop)).toMatchObject({ onHand: 10, committed: 4, available: 6 });
    await countTen(shop);
    expect(await levelOf(shop)).toMatchObject({ onHand: 10, committed: 4, available: 6 });
    expect(await availableOf(system, shop.offerId)).toBe(6);

    const item = { offerId: shop.offerId, quantity: 1 };
    const buyOne = () => checkout(system, customer, [item], randomUUID(), 'Credit Card');
    const replies = await Promise.all(Array.from({ length: 7 }, buyOne));
    const results = replies.map(({ data }) => data.checkout);
    const refused = results.filter(({ __typename }) => __typename !== 'PaymentSuccess');
    expect(refused).toMatchObject([
      { __typename: 'InsufficientStock', lines: [{ requested: 1, available: 0 }] },
    ]);
    expect(await levelOf(shop)).toMatchObject({
      onHand: 10,
      reserved: 0,
      committed: 10,
      available: 0,
      shortfall: 0,
    });
  });

  it('a CSV file below what is promised is applied, and shows the shortfall', async () => {
    const shop = await open(10);
    await sell(shop, 4);
    await placeOrder(system, customer, 2, shop);
    const { body } = await as.putStock(shop.warehouseId, `sku,quantity\n${shop.sku},3\n`);
    expect(body).toMatchObject({ lines: 1, levelsChanged: 1 });
    expect(await levelOf(shop)).toMatchObject({
      onHand: 3,
      reserved: 2,
      committed: 4,
      shortfall: 3,
      available: 0,
    });
    await as.putStock(shop.warehouseId, `sku,quantity\n${shop.sku},9\n`);
    expect(await levelOf(shop)).toMatchObject({ onHand: 9, shortfall: 0, available: 3 });
    expect(await availableOf(system, shop.offerId)).toBe(3);
  });

  it('a shipment takes the units out of the warehouse, once', async () => {
    const shop = await open(10);
    const orderId = await sell(shop, 4);
    expect(await ship(orderId)).toEqual({ __typename: 'ShopOrder' });
    const shipped = { onHand: 6, reserved: 0, committed: 0, available: 6, shortfall: 0 };
    expect(await as.untilLevel(shop.warehouseId, shipped)).toMatchObject(shipped);
    expect(await ship(orderId)).toEqual({ __typename: 'WrongShopOrderStatus' });
    await system.expectInvariants();
    expect(await levelOf(shop)).toMatchObject(shipped);
    expect(await availableOf(system, shop.offerId)).toBe(6);
    await count(shop, 6, 6);
  });

  it('units that a shop cancels because they are missing are not on sale again', async () => {
    const shop = await open(5);
    const missing = await sell(shop, 2);
    await sell(shop, 3);
    await count(shop, 3, 5);
    expect(await levelOf(shop)).toMatchObject({ onHand: 3, committed: 5, shortfall: 2 });
    await cancel(missing, 'OUT_OF_STOCK');
    await as.untilLevel(shop.warehouseId, { committed: 3 });
    const after = { onHand: 3, committed: 3, unavailable: 0, shortfall: 0, available: 0 };
    expect(await levelOf(shop)).toMatchObject(after);
    expect(await refusal(shop, 1)).toMatchObject({ requested: 1, available: 0 });
  });

  it('missing units that no count has shown yet leave the warehouse with their cancellation', async () => {
    const shop = await open(5);
    await cancel(await sell(shop, 2), 'OUT_OF_STOCK');
    await as.untilLevel(shop.warehouseId, { committed: 0 });
    expect(await levelOf(shop)).toMatchObject({ onHand: 3, available: 3, shortfall: 0 });
    await count(shop, 3, 3);
  });

  it('units that a shop cancels because they are damaged stay in the warehouse, unavailable', async () => {
    const shop = await open(5);
    await cancel(await sell(shop, 2), 'DAMAGED');
    await as.untilLevel(shop.warehouseId, { committed: 0 });
    expect(await levelOf(shop)).toMatchObject({ onHand: 5, unavailable: 2, available: 3 });
    expect(await refusal(shop, 4)).toMatchObject({ requested: 4, available: 3 });
  });

  it.each(['CUSTOMER_REQUEST', 'FRAUD', 'PRICING_ERROR', 'OTHER'])(
    'units that a shop cancels for %s are on sale again, and the history has the reason and the note',
    async (reason) => {
      const shop = await open(5);
      const orderId = await sell(shop, 2);
      const shopOrderId = await cancel(orderId, reason, 'ordered twice');
      await as.untilLevel(shop.warehouseId, { committed: 0 });
      expect(await levelOf(shop)).toMatchObject({ onHand: 5, unavailable: 0, available: 5 });
      const order = await orderOf(orderId);
      expect(order).toMatchObject({ status: 'CANCELLED', cancelReason: 'BY_SHOP' });
      const cancelled = nodesOf<{ type: string }>(order.history).filter(
        ({ type }) => type === 'CANCELLED',
      );
      const event = { type: 'CANCELLED', actor: vendor.id };
      expect(cancelled).toEqual([
        { ...event, shopOrderId, reason: `${reason}: ordered twice` },
        { ...event, shopOrderId: null, reason: 'BY_SHOP' },
      ]);
      await sell(shop, 5);
    },
  );

  it('a reason that is about some variants decides nothing about the others', async () => {
    const [shop, other] = [await open(5), await open(5)];
    const about = { shopId: shop.shopId, sku: other.sku, price: '10.00' };
    const offer = await as.mutate('setOffer', 'SetOfferInput', about, 'id');
    const receipt = { warehouseId: shop.warehouseId, sku: other.sku, quantity: 5 };
    await as.mutate('receiveStock', 'ReceiveStockInput', receipt, 'id');
    const orderId = await buy(system, customer, 2, shop, { offerId: offer.id });
    const id = await shopOrderOf(system, vendor, orderId);
    const cancelPart = (skus: string[]) =>
      as.refused('cancelShopOrder', 'CancelShopOrderInput', { id, reason: 'DAMAGED', skus });
    expect(await cancelPart([shop.sku, 'NOBODYS'])).toEqual({
      code: 'BAD_USER_INPUT',
      fields: ['input.skus[1]'],
    });
    const unitsOf = async (sku: string) =>
      (await as.levels(shop.warehouseId)).find(({ variant }) => variant.sku === sku);
    expect(await unitsOf(shop.sku)).toMatchObject({ committed: 2, unavailable: 0 });
    expect((await cancelPart([shop.sku])).code).toBe('done');
    await eventually(
      async () => [await unitsOf(shop.sku), await unitsOf(other.sku)],
      (levels) => levels.every((level) => level?.committed === 0),
    );
    const damaged = { onHand: 5, unavailable: 2, available: 3, shortfall: 0 };
    expect(await unitsOf(shop.sku)).toMatchObject(damaged);
    expect(await unitsOf(other.sku)).toMatchObject({ onHand: 5, unavailable: 0, available: 5 });
  });

  it('of three unpaid units of which a count left one, exactly one is paid, and the others are cancelled', async () => {
    const shop = await open(5);
    await sell(shop, 2);
    const customers = await Promise.all([1, 2, 3].map(() => registerPerson(system)));
    const orders = await Promise.all(
      customers.map(async (person) => {
        const add =
          'mutation ($input: AddToCartInput!) { addToCart(input: $input) { __typename } }';
        const input = { offerId: shop.offerId, quantity: 1 };
        await actAs(system, person).must(add, { input });
        const key = { idempotencyKey: randomUUID(), shippingAddress: address };
        const { data } = await retry(() => checkoutWith(system, person, key));
        return { person, id: data.checkout.order.id as string };
      }),
    );
    await count(shop, 3, 5);
    expect(await levelOf(shop)).toMatchObject({ reserved: 3, committed: 2, shortfall: 2 });

    const replies = await Promise.all(orders.map(({ person, id }) => pay(system, person, id)));
    const results = replies.map(({ data }) => data.payOrder);
    const refused = orders.filter((_, n) => results[n].__typename !== 'PaymentSuccess');
    expect(results.map(({ __typename }) => __typename).toSorted()).toEqual([
      'OrderNotPayable',
      'OrderNotPayable',
      'PaymentSuccess',
    ]);
    for (const { person, id } of orders) {
      const isRefused = refused.some((each) => each.id === id);
      expect(await orderOf(id, person)).toMatchObject(
        isRefused
          ? { status: 'CANCELLED', cancelReason: 'OUT_OF_STOCK' }
          : { status: 'CONFIRMED', cancelReason: null },
      );
      const [payment, ...others] = await payments.paymentsOf(id);
      expect([payment.status, others]).toEqual([isRefused ? 'VOIDED' : 'COMPLETED', []]);
      expect(await payments.sandboxPaymentOf(payment.id)).toMatchObject({
        status: isRefused ? 'canceled' : 'captured',
        refunds: [],
      });
      const { items } = await actAs(system, person).must(
        '{ cart { items { quantity offer { id } } } }',
      );
      const returned = { quantity: 1, offer: { id: shop.offerId } };
      expect(items).toEqual(isRefused ? [returned] : []);
    }
    expect(await levelOf(shop)).toMatchObject({
      onHand: 3,
      reserved: 0,
      committed: 3,
      shortfall: 0,
      available: 0,
    });
  });

  const setBuffer = ({ warehouseId, sku }: Shop, buffer: number) =>
    as.mutate(
      'setStockBuffer',
      'StockBufferInput',
      { warehouseId, sku, buffer },
      'onHand buffer available',
    );

  it('a buffer is kept back from customers, and not from the orders that have units already', async () => {
    const shop = await open(10);
    await placeOrder(system, customer, 1, shop);
    expect(await setBuffer(shop, 4)).toEqual({ onHand: 10, buffer: 4, available: 5 });
    expect(await availableOf(system, shop.offerId)).toBe(5);
    expect(await refusal(shop, 6)).toMatchObject({ requested: 6, available: 5 });
    await sell(shop, 5);
    expect(await availableOf(system, shop.offerId)).toBe(0);
    expect(await setBuffer(shop, 100)).toEqual({ onHand: 10, buffer: 100, available: 0 });
    expect(await levelOf(shop)).toMatchObject({ reserved: 1, committed: 5, shortfall: 0 });
    expect(await setBuffer(shop, 0)).toEqual({ onHand: 10, buffer: 0, available: 4 });
    await sell(shop, 4);
  });

  it('a variant of which all units are in the buffer is out of stock in the catalogue', async () => {
    const shop = await open(3);
    const listed = (inStock: boolean) =>
      eventually(
        () =>
          system.graphql(
            'query ($id: UUID!) { products(filter: { shopId: $id, inStock: true }) { edges { cursor } } }',
            { id: shop.shopId },
          ),
        ({ data }) => (data.products.edges.length === 1) === inStock,
      );
    await listed(true);
    await setBuffer(shop, 3);
    await listed(false);
    await setBuffer(shop, 2);
    await listed(true);
  });

  it.each([
    ['a negative buffer', { buffer: -1 }, 'input.buffer'],
    ['more units than a level may have', { buffer: onHandMax + 1 }, 'input.buffer'],
    ['a sku that is no variant', { sku: 'NOBODY-SELLS-IT' }, 'input.sku'],
  ])('refuses a buffer with %s', async (_, change, field) => {
    const shop = await open(5);
    const input = { warehouseId: shop.warehouseId, sku: shop.sku, buffer: 1, ...change };
    expect(await as.refused('setStockBuffer', 'StockBufferInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: [field],
    });
    expect(await levelOf(shop)).toMatchObject({ buffer: 0, available: 5 });
  });

  const mark = ({ warehouseId, sku }: Shop, delta: number) =>
    as.mutate(
      'markUnavailable',
      'MarkUnavailableInput',
      { warehouseId, sku, delta, reason: 'quarantine' },
      `__typename ... on StockLevel { unavailable available shortfall }
       ... on NotEnoughOnHand { levels { sku requested onHand reserved committed unavailable } }
       ... on NotEnoughUnavailable { message unavailable }`,
    );

  it('units become unavailable, and available again, as far as there are any', async () => {
    const shop = await open(10);
    await sell(shop, 4);
    expect(await mark(shop, 3)).toMatchObject({ unavailable: 3, available: 3, shortfall: 0 });
    expect(await availableOf(system, shop.offerId)).toBe(3);
    expect(await mark(shop, -1)).toMatchObject({ unavailable: 2, available: 4 });
    const units = { onHand: 10, reserved: 0, committed: 4, unavailable: 2 };
    expect(await mark(shop, 9)).toEqual({
      __typename: 'NotEnoughOnHand',
      levels: [{ sku: shop.sku, requested: 9, ...units }],
    });
    expect(await mark(shop, -3)).toEqual({
      __typename: 'NotEnoughUnavailable',
      message: `Only 2 units of ${shop.sku} are unavailable.`,
      unavailable: 2,
    });
    expect(await levelOf(shop)).toMatchObject({ ...units, available: 4, shortfall: 0 });

    // Promised units may be damaged too.
    expect(await mark(shop, 8)).toMatchObject({ unavailable: 10, available: 0, shortfall: 4 });
    expect(await refusal(shop, 1)).toMatchObject({ available: 0 });
    expect(await mark(shop, -10)).toMatchObject({ unavailable: 0, available: 6, shortfall: 0 });
  });

  it('unavailable units are gone when they are removed, and available ones stay', async () => {
    const shop = await open(10);
    await mark(shop, 3);
    const remove = (delta: number) => adjust(shop, { delta, fromUnavailable: true });
    expect(await remove(-4)).toEqual({ __typename: 'NotEnoughUnavailable' });
    expect(await levelOf(shop)).toMatchObject({ onHand: 10, unavailable: 3, available: 7 });
    expect(await remove(-2)).toEqual({ __typename: 'StockLevel' });
    expect(await levelOf(shop)).toMatchObject({ onHand: 8, unavailable: 1, available: 7 });
    await adjust(shop, { delta: -7 });
    expect(await levelOf(shop)).toMatchObject({ onHand: 1, unavailable: 1, available: 0 });
    await count(shop, 0, 1);
    expect(await levelOf(shop)).toMatchObject({ onHand: 0, unavailable: 0, shortfall: 0 });
  });

  it.each([
    ['no units', { delta: 0 }, 'input.delta'],
    ['more units than one change may have', { delta: 1_000_001 }, 'input.delta'],
    ['no reason', { reason: '' }, 'input.reason'],
  ])('refuses a change of unavailable units with %s', async (_, change, field) => {
    const shop = await open(5);
    const about = { warehouseId: shop.warehouseId, sku: shop.sku, delta: 1, reason: 'wet' };
    const input = { ...about, ...change };
    expect(await as.refused('markUnavailable', 'MarkUnavailableInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: [field],
    });
    expect(await levelOf(shop)).toMatchObject({ unavailable: 0, available: 5 });
  });

  it('refuses to mark units as unavailable, or to keep units back, for another vendor', async () => {
    const shop = await open(5);
    const other = actAs(system, await registerPerson(system, 'VENDOR'));
    const about = { warehouseId: shop.warehouseId, sku: shop.sku };
    const forbidden = { code: 'FORBIDDEN', fields: [] };
    const unavailable = { ...about, delta: 1, reason: 'mine now' };
    expect(await other.refused('markUnavailable', 'MarkUnavailableInput', unavailable)).toEqual(
      forbidden,
    );
    expect(
      await other.refused('setStockBuffer', 'StockBufferInput', { ...about, buffer: 1 }),
    ).toEqual(forbidden);
    expect(await levelOf(shop)).toMatchObject({ unavailable: 0, buffer: 0, available: 5 });
  });

  it('the history has committed and unavailable units, and the level at each moment of it', async () => {
    const shop = await open(10);
    const { warehouseId, sku } = shop;
    const orderId = await sell(shop, 4);
    await mark(shop, 2);
    await ship(orderId);
    await as.untilLevel(warehouseId, { onHand: 6 });
    const { stockLevels } = await as.must(
      `query ($id: UUID!) { warehouse(id: $id) { stockLevels { edges { node { movements { edges {
         node { type onHandDelta reservedDelta committedDelta unavailableDelta reference reason actor
           occurredAt at } } } } } } } }`,
      { id: warehouseId },
    );
    const moves = stockLevels.edges[0].node.movements.edges.map(
      ({ node }: { node: object }) => node,
    );
    const none = { onHandDelta: 0, reservedDelta: 0, committedDelta: 0, unavailableDelta: 0 };
    const ofOrder = { ...none, reference: orderId, actor: 'order' };
    expect(moves).toMatchObject([
      { type: 'SHIPMENT', ...ofOrder, onHandDelta: -4, committedDelta: -4 },
      { type: 'UNAVAILABLE', ...none, unavailableDelta: 2, reason: 'quarantine', actor: vendor.id },
      { type: 'COMMIT', ...ofOrder, reservedDelta: -4, committedDelta: 4 },
      { type: 'RESERVATION', ...ofOrder, reservedDelta: 4 },
      { type: 'RECEIPT', ...none, onHandDelta: 10 },
    ]);
    for (const { at, occurredAt } of moves) {
      expect(Date.parse(occurredAt)).toBeLessThanOrEqual(Date.parse(at));
    }
    const snapshots = await Promise.all(
      moves.map(({ at }: { at: string }) =>
        as.must(
          `query ($warehouseId: UUID!, $sku: String!, $at: DateTime!) {
             stockAt(warehouseId: $warehouseId, sku: $sku, at: $at) {
               onHand reserved committed unavailable available } }`,
          { warehouseId, sku, at },
        ),
      ),
    );
    expect(snapshots).toEqual([
      { onHand: 6, reserved: 0, committed: 0, unavailable: 2, available: 4 },
      { onHand: 10, reserved: 0, committed: 4, unavailable: 2, available: 4 },
      { onHand: 10, reserved: 0, committed: 4, unavailable: 0, available: 6 },
      { onHand: 10, reserved: 4, committed: 0, unavailable: 0, available: 6 },
      { onHand: 10, reserved: 0, committed: 0, unavailable: 0, available: 10 },
    ]);
  });

  it('customers see neither committed, unavailable nor buffered units, nor a shortfall', async () => {
    const shop = await open(30);
    const seen = async () => {
      const fields = 'available incoming isLowStock reasons { reason quantity }';
      const { data } = await system.graphql(
        `query ($id: UUID!, $sku: String!) { offer(id: $id) { availability { ${fields} } }
           variant(sku: $sku) { availability { ${fields} } } }`,
        { id: shop.offerId, sku: shop.sku },
      );
      expect(data.variant.availability).toEqual(data.offer.availability);
      return data.offer.availability;
    };
    await sell(shop, 4);
    await mark(shop, 5);
    await setBuffer(shop, 6);
    expect(await seen()).toEqual({ available: 15, incoming: 0, isLowStock: false, reasons: [] });
    await placeOrder(system, customer, 5, shop);
    const reasons = [{ reason: 'RESERVED_BY_OTHERS', quantity: 5 }];
    expect(await seen()).toEqual({ available: 10, incoming: 0, isLowStock: false, reasons });
    await count(shop, 6, 30);
    expect(await levelOf(shop)).toMatchObject({ shortfall: 8 });
    expect(await seen()).toEqual({ available: 0, incoming: 0, isLowStock: true, reasons });
  });

  /** A shop with as many units of one variant as there may be, in 22 warehouses. */
  async function openFullShop() {
    const shop = await openShop(system, vendor, Array(22).fill(1));
    const of = (warehouseId: string): Shop => ({ ...shop, warehouseId });
    for (const id of shop.warehouseIds.slice(0, 21)) await count(of(id), onHandMax, 1);
    return { first: of(shop.warehouseIds[0] as string), last: of(shop.warehouseIds[21] as string) };
  }

  it('units beyond what an Int can count are refused, and what is there can be sold, returned and closed', async () => {
    const { first, last } = await openFullShop();
    const { warehouseId, sku, offerId } = last;
    const refused = async (name: string, type: string, input: object) => {
      const mutation = `mutation ($input: ${type}!) { ${name}(input: $input) { __typename } }`;
      const { errors } = await as.reply(mutation, { input: { warehouseId, sku, ...input } });
      const { code, fields } = errors?.[0]?.extensions ?? {};
      expect(code).toBe('BAD_USER_INPUT');
      return fields;
    };
    const adjustment = (input: object) =>
      refused('adjustStock', 'AdjustStockInput', { reason: 'counted', ...input });
    const file = (quantity: number) =>
      as.putStock(warehouseId, `sku,quantity\n${sku},${quantity}\n`);
    const tooMany =
      'a level has at most 100000000 units, and a variant 2147483647 in all warehouses of a shop';
    const badLine = {
      status: 400,
      body: {
        code: 'BAD_USER_INPUT',
        badLines: [
          { line: 2, sku, reason: 'a variant has at most 2147483647 units in all warehouses' },
        ],
      },
    };

    expect(await adjustment({ setTo: onHandMax, expectedOnHand: 1 })).toEqual({
      'input.setTo': tooMany,
    });
    expect(await file(onHandMax)).toMatchObject(badLine);
    expect(await levelOf(last)).toMatchObject({ onHand: 1 });
    const left = intMax - 21 * onHandMax;
    await count(last, left, 1);
    const receipt = { quantity: 1 };
    expect(await refused('receiveStock', 'ReceiveStockInput', receipt)).toEqual({
      'input.quantity': tooMany,
    });
    expect(await adjustment({ delta: 1 })).toEqual({ 'input.delta': tooMany });
    expect(await file(left + 1)).toMatchObject(badLine);
    expect(await levelOf(last)).toMatchObject({ onHand: left });
    expect(await availableOf(system, offerId)).toBe(intMax);

    const available = (units: number) =>
      eventually(
        () => availableOf(system, offerId),
        (found) => found === units,
      );
    const cancelled = await placeOrder(system, customer, 5, last);
    await available(intMax - 5);
    const cancelOrder = 'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }';
    await actAs(system, customer).must(cancelOrder, { id: cancelled });
    await available(intMax);
    const expired = await placeOrder(system, customer, 5, last);
    await warehouse.query(
      `update reservation set expires_at = now() - interval '2 s' where order_id = $1`,
      [expired],
    );
    await available(intMax);
    await cancel(await sell(first, 5), 'CUSTOMER_REQUEST');
    await available(intMax);

    const activate = (name: string, selection: string) =>
      as.must(`mutation ($id: UUID!) { ${name}(id: $id) { ${selection} } }`, {
        id: first.warehouseId,
      });
    expect(await activate('deactivateWarehouse', 'unitsWithdrawn')).toEqual({
      unitsWithdrawn: onHandMax,
    });
    await available(intMax - onHandMax);
    expect(await activate('activateWarehouse', 'active')).toEqual({ active: true });
    await available(intMax);
  });
});
