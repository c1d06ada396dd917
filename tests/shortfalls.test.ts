import { type Answer, overWebSocket } from './harness/live.js';
import { buy, placeOrder, shopOrderOf } from './harness/orders.js';
import { openShop, type Person, registerPerson } from './harness/people.js';
import { cancelShopOrderMutation } from './harness/shopping.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

const orderFields = `edges { node { units paid
  shopOrder { id status items { name quantity } order { id number } } } }
  pageInfo { hasNextPage endCursor }`;

describe('the shortfalls of a shop, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem({ QUERY_DEPTH_MAX: '10' });
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  /** A shop with units of one variant in each of its warehouses. */
  async function open(...units: number[]) {
    const shop = await openShop(system, vendor, units);
    return { ...shop, at: (n: number) => shop.warehouseIds[n] as string };
  }
  type Shop = Awaited<ReturnType<typeof open>>;
  const levelAt = async (shop: Shop, n = 0) => (await as.levels(shop.at(n)))[0];
  const sell = (shop: Shop, quantity: number) => buy(system, customer, quantity, shop);
  /** Corrects the units on hand in a warehouse. */
  const correct = async (shop: Shop, n: number, delta: number) => {
    const input = { warehouseId: shop.at(n), sku: shop.sku, delta, reason: 'counted' };
    const answer = await as.mutate('adjustStock', 'AdjustStockInput', input, '__typename');
    expect(answer).toEqual({ __typename: 'StockLevel' });
  };
  const ship = async (orderId: string) => {
    const id = await shopOrderOf(system, vendor, orderId);
    await as.mutate('shipShopOrder', 'ShipShopOrderInput', { id }, '__typename');
  };
  const cancel = async (orderId: string) => {
    const id = await shopOrderOf(system, vendor, orderId);
    await as.must(cancelShopOrderMutation, { input: { id, reason: 'CUSTOMER_REQUEST' } });
  };
  const codeOf = (answer: Answer | undefined) => answer?.errors?.[0]?.extensions?.code;

  describe('stockShortfallAlert', () => {
    const subscription = `subscription ($shopId: UUID!) { stockShortfallAlert(shopId: $shopId) {
      units level { id onHand committed shortfall variant { sku name } } orders { ${orderFields} } } }`;

    it('delivers a level each time its shortfall rises, with the orders', async () => {
      const shop = await open(5, 200);
      const id = await sell(shop, 4);
      const canary = await sell(shop, 100);
      await correct(shop, 1, -100);
      const level = await levelAt(shop);
      const client = overWebSocket(system.url, vendor.token);
      const { seen, stop } = client.subscribe(subscription, { shopId: shop.shopId });
      const alerts = () => seen.map(({ data }) => data?.stockShortfallAlert);
      const ofLevel = () => alerts().filter((alert) => alert?.level.id === level?.id);
      const until = (count: number) =>
        eventually(
          async () => ofLevel(),
          ({ length }) => length === count,
        );
      /** An alert of the other level shows that the levels were read since. */
      const untilRead = async () => {
        const before = seen.length;
        await eventually(async () => {
          await correct(shop, 1, -1);
          return seen.length > before;
        }, Boolean);
      };

      await untilRead();
      await correct(shop, 0, -3);
      await until(1);
      await correct(shop, 0, -1);
      await until(2);
      await correct(shop, 0, 2);
      await untilRead();
      await correct(shop, 0, -1);
      const last = await until(3);
      expect(last.map(({ units, level: { onHand } }) => [units, onHand])).toEqual([
        [2, 2],
        [3, 1],
        [2, 2],
      ]);
      const variant = { sku: shop.sku, name: 'the only one' };
      expect(last[0].level).toMatchObject({ committed: 4, shortfall: 2, variant });
      const [{ node }, ...others] = last[0].orders.edges;
      expect(node).toMatchObject({
        units: 4,
        paid: true,
        shopOrder: { status: 'CONFIRMED', items: [{ quantity: 4 }], order: { id } },
      });
      expect(others).toEqual([]);
      expect(seen.every(({ errors }) => errors === undefined)).toBe(true);
      const [another] = alerts().filter((alert) => alert?.level.id !== level?.id);
      expect(another.orders.edges).toMatchObject([
        { node: { shopOrder: { order: { id: canary } } } },
      ]);
      stop();
      client.close();
    });

    it('is for the owner of the shop', async () => {
      const shop = await open(5);
      const strangers = [undefined, customer.token, (await registerPerson(system, 'VENDOR')).token];
      const clients = strangers.map((token) => overWebSocket(system.url, token));
      const watches = clients.map((client) =>
        client.subscribe(subscription, { shopId: shop.shopId }),
      );
      const refusals = () =>
        watches.map((watch) => {
          const end = watch.ended();
          return codeOf(watch.seen[0]) ?? codeOf({ errors: Array.isArray(end) ? end : [] });
        });
      expect(
        await eventually(
          async () => refusals(),
          (codes) => codes.every(Boolean),
        ),
      ).toEqual(['UNAUTHENTICATED', 'FORBIDDEN', 'FORBIDDEN']);
      for (const client of clients) client.close();
    });
  });

  describe('stockShortfalls', () => {
    const query = `query ($shopId: UUID!, $first: Int!, $after: String, $ofLevel: Int!,
        $afterOrder: String) {
      stockShortfalls(shopId: $shopId, first: $first, after: $after) {
        edges { node { units level { id shortfall warehouse { id } variant { sku } }
          orders(first: $ofLevel, after: $afterOrder) { ${orderFields} } } }
        pageInfo { hasNextPage endCursor } } }`;
    const variablesOf = ({ shopId }: Shop, page: object) => {
      return { shopId, first: 10, ofLevel: 10, ...page };
    };
    const list = (shop: Shop, page: object = {}) => as.must(query, variablesOf(shop, page));

    it('has the unshipped orders of each level: paid ones first, each the oldest first, in pages', async () => {
      const shop = await open(9);
      const paidFirst = await sell(shop, 2);
      const unpaidFirst = await placeOrder(system, customer, 1, shop);
      const paidLast = await sell(shop, 1);
      const unpaidLast = await placeOrder(system, customer, 1, shop);
      await ship(await sell(shop, 1));
      await cancel(await sell(shop, 1));
      await as.untilLevel(shop.at(0), { onHand: 8, reserved: 2, committed: 3 });
      expect((await list(shop)).edges).toEqual([]);
      await correct(shop, 0, -7);

      const { edges } = await list(shop, { ofLevel: 3 });
      expect(edges).toHaveLength(1);
      const [{ node: shortfall }] = edges;
      expect(shortfall).toMatchObject({
        units: 4,
        level: { shortfall: 4, warehouse: { id: shop.at(0) }, variant: { sku: shop.sku } },
      });
      const after = shortfall.orders.pageInfo.endCursor;
      const next = (await list(shop, { ofLevel: 3, afterOrder: after })).edges[0].node.orders;
      expect(shortfall.orders.pageInfo.hasNextPage).toBe(true);
      expect(next.pageInfo.hasNextPage).toBe(false);
      const listed = [...shortfall.orders.edges, ...next.edges].map(({ node }) => node);
      const name = expect.stringMatching(/^Product .*, the only one$/);
      const lineOf = (id: string, units: number, paid: boolean) => ({
        units,
        paid,
        shopOrder: {
          id: expect.any(String),
          status: paid ? 'CONFIRMED' : 'PENDING',
          items: [{ name, quantity: units }],
          order: { id, number: expect.stringMatching(/\d/) },
        },
      });
      expect(listed).toEqual([
        lineOf(paidFirst, 2, true),
        lineOf(paidLast, 1, true),
        lineOf(unpaidFirst, 1, false),
        lineOf(unpaidLast, 1, false),
      ]);
      expect(listed[0].shopOrder.id).toBe(await shopOrderOf(system, vendor, paidFirst));
    });

    it('pages through the levels, and has none that is not short any more', async () => {
      const shop = await open(2, 2, 2);
      for (const n of [0, 1, 2]) {
        await sell(shop, 2);
        await correct(shop, n, -1 - (n % 2));
      }
      const first = await list(shop, { first: 2 });
      const second = await list(shop, { first: 2, after: first.pageInfo.endCursor });
      expect([first.edges.length, first.pageInfo.hasNextPage]).toEqual([2, true]);
      expect([second.edges.length, second.pageInfo.hasNextPage]).toEqual([1, false]);
      const units = [...first.edges, ...second.edges].map(({ node }) => {
        return [node.level.warehouse.id, node.units] as const;
      });
      expect(Object.fromEntries(units)).toEqual({
        [shop.at(0)]: 1,
        [shop.at(1)]: 2,
        [shop.at(2)]: 1,
      });
      await correct(shop, 0, 1);
      await correct(shop, 1, 1);
      const { edges } = await list(shop);
      expect(edges.map(({ node }: { node: { units: number } }) => node.units)).toEqual([1, 1]);
    });

    it.each([
      ['no levels', { first: 0 }],
      ['101 levels', { first: 101, ofLevel: 1 }],
      ['an invalid place in the levels', { after: 'nonsense' }],
      ['no orders', { ofLevel: 0 }],
      ['101 orders', { ofLevel: 101, first: 1 }],
      ['an invalid place in the orders', { afterOrder: 'nonsense' }],
    ])('refuses a page of %s', async (_, page) => {
      const shop = await open(2);
      await sell(shop, 2);
      await correct(shop, 0, -1);
      const { errors } = await as.reply(query, variablesOf(shop, page));
      expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    });

    it('are for the owner of the shop', async () => {
      const shop = await open(2);
      const variables = variablesOf(shop, {});
      for (const person of [customer, await registerPerson(system, 'VENDOR')]) {
        const { errors } = await actAs(system, person).reply(query, variables);
        expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
      }
    });
  });

  describe('reassignShopOrder', () => {
    const selection = `__typename
      ... on ReassignedShopOrder { units warehouse { id } shopOrder { id status order { id number } } }
      ... on NotEnoughOnHand { message levels { sku requested onHand committed } }
      ... on NothingToReassign { message }`;
    const inputOf = async (orderId: string, toWarehouseId: string) => {
      return { shopOrderId: await shopOrderOf(system, vendor, orderId), toWarehouseId };
    };
    const reassign = async (orderId: string, toWarehouseId: string) =>
      as.mutate(
        'reassignShopOrder',
        'ReassignShopOrderInput',
        await inputOf(orderId, toWarehouseId),
        selection,
      );
    const refused = async (orderId: string, toWarehouseId: string, by = as) =>
      by.refused(
        'reassignShopOrder',
        'ReassignShopOrderInput',
        await inputOf(orderId, toWarehouseId),
      );
    const movementsAt = async (shop: Shop, n: number) => {
      const { stockLevels } = await as.must(
        `query ($id: UUID!) { warehouse(id: $id) { stockLevels { edges { node { movements(first: 2) {
           edges { node { type onHandDelta committedDelta reference reason actor } } } } } } } }`,
        { id: shop.at(n) },
      );
      const { edges } = stockLevels.edges[0].node.movements;
      return edges.map(({ node }: { node: object }) => node);
    };

    it('moves the units of a shop order to where they are, from where it is shipped then', async () => {
      const shop = await open(5, 5);
      const orderId = await sell(shop, 4);
      await correct(shop, 0, -3);
      expect(await levelAt(shop, 0)).toMatchObject({ onHand: 2, committed: 4, shortfall: 2 });
      expect(await reassign(orderId, shop.at(1))).toMatchObject({
        __typename: 'ReassignedShopOrder',
        units: 4,
        warehouse: { id: shop.at(1) },
        shopOrder: {
          id: await shopOrderOf(system, vendor, orderId),
          status: 'CONFIRMED',
          order: { id: orderId },
        },
      });
      expect(await levelAt(shop, 0)).toMatchObject({ onHand: 2, committed: 0, shortfall: 0 });
      expect(await levelAt(shop, 1)).toMatchObject({ onHand: 5, committed: 4, available: 1 });
      const moved = { onHandDelta: 0, reference: orderId, reason: 'reassigned', actor: vendor.id };
      const [uncommit] = await movementsAt(shop, 0);
      expect(uncommit).toEqual({ type: 'UNCOMMIT', ...moved, committedDelta: -4 });
      const [commit] = await movementsAt(shop, 1);
      expect(commit).toEqual({ type: 'COMMIT', ...moved, committedDelta: 4 });
      expect(await reassign(orderId, shop.at(1))).toMatchObject({ units: 0 });

      await ship(orderId);
      await as.untilLevel(shop.at(1), { onHand: 1, committed: 0 });
      expect(await levelAt(shop, 0)).toMatchObject({ onHand: 2, committed: 0, available: 2 });
    });

    it('gathers units that were taken from several warehouses, and leaves those of other shops', async () => {
      const shop = await open(1, 1, 9);
      const stranger = await registerPerson(system, 'VENDOR');
      const other = await openShop(system, stranger, [6]);
      const committedThere = async () =>
        (await actAs(system, stranger).levels(other.warehouseIds[0] as string))[0]?.committed;
      await sell(shop, 9);
      const orderId = await buy(system, customer, 2, shop, other);
      const committed = () =>
        Promise.all([0, 1, 2].map(async (n) => (await levelAt(shop, n))?.committed));
      expect(await committed()).toEqual([1, 1, 9]);
      await correct(shop, 2, 2);
      expect(await reassign(orderId, shop.at(2))).toMatchObject({ units: 2 });
      expect([await committed(), await committedThere()]).toEqual([[0, 0, 11], 2]);
      await cancel(orderId);
      await as.untilLevel(shop.at(2), { onHand: 11, committed: 9, available: 2 });
      expect([await committed(), await committedThere()]).toEqual([[0, 0, 9], 2]);
    });

    it('moves nothing to a warehouse with too few available units', async () => {
      const shop = await open(5, 5);
      const orderId = await sell(shop, 4);
      const buffer = { warehouseId: shop.at(1), sku: shop.sku, buffer: 2 };
      await as.mutate('setStockBuffer', 'StockBufferInput', buffer, 'id');
      expect(await reassign(orderId, shop.at(1))).toMatchObject({
        __typename: 'NotEnoughOnHand',
        levels: [{ sku: shop.sku, requested: 4, onHand: 5, committed: 0 }],
      });
      expect(await levelAt(shop, 0)).toMatchObject({ onHand: 5, committed: 4 });
      expect(await levelAt(shop, 1)).toMatchObject({ onHand: 5, committed: 0 });
    });

    it('moves nothing of a shop order that is not paid, or that is shipped or cancelled', async () => {
      const shop = await open(9, 9);
      const unpaid = await placeOrder(system, customer, 1, shop);
      const [shipped, cancelled] = [await sell(shop, 2), await sell(shop, 3)];
      await ship(shipped);
      await cancel(cancelled);
      await as.untilLevel(shop.at(0), { onHand: 7, reserved: 1, committed: 0 });
      for (const orderId of [unpaid, shipped, cancelled]) {
        expect(await reassign(orderId, shop.at(1))).toEqual({
          __typename: 'NothingToReassign',
          message: 'The shop order is not paid, or it is shipped or cancelled.',
        });
      }
      expect(await levelAt(shop, 0)).toMatchObject({ onHand: 7, reserved: 1, committed: 0 });
      expect(await levelAt(shop, 1)).toMatchObject({ onHand: 9, reserved: 0, committed: 0 });
    });

    it('refuses a warehouse of another shop, and an inactive one', async () => {
      const [shop, other] = [await open(5, 5), await open(9)];
      const orderId = await sell(shop, 4);
      const close = 'mutation ($id: UUID!) { deactivateWarehouse(id: $id) { unitsWithdrawn } }';
      await as.must(close, { id: shop.at(1) });
      for (const toWarehouseId of [other.at(0), shop.at(1)]) {
        expect(await refused(orderId, toWarehouseId)).toEqual({
          code: 'BAD_USER_INPUT',
          fields: ['input.toWarehouseId'],
        });
      }
      expect(await levelAt(shop, 0)).toMatchObject({ onHand: 5, committed: 4 });
      expect(await levelAt(shop, 1)).toMatchObject({ onHand: 5, committed: 0 });
      expect(await levelAt(other, 0)).toMatchObject({ onHand: 9, committed: 0 });
    });

    it('refuses a shop order or a warehouse of another vendor, or one that does not exist', async () => {
      const shop = await open(5, 5);
      const orderId = await sell(shop, 4);
      const stranger = await registerPerson(system, 'VENDOR');
      const foreign = await openShop(system, stranger, [9]);
      const forbidden = { code: 'FORBIDDEN', fields: [] };
      expect(await refused(orderId, shop.at(1), actAs(system, stranger))).toEqual(forbidden);
      expect(await refused(orderId, foreign.warehouseIds[0] as string)).toEqual(forbidden);
      const nothing = '01a19467-e800-77c1-8019-000000000000';
      const unknown = { code: 'NOT_FOUND', fields: [] };
      expect(await refused(orderId, nothing)).toEqual(unknown);
      const input = { shopOrderId: nothing, toWarehouseId: shop.at(1) };
      expect(await as.refused('reassignShopOrder', 'ReassignShopOrderInput', input)).toEqual(
        unknown,
      );
      expect(await levelAt(shop, 0)).toMatchObject({ committed: 4 });
      expect(await levelAt(shop, 1)).toMatchObject({ committed: 0 });
    });
  });
});
