import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { checkout, logIn, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

describe('low stock', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    customer = await registerPerson(system);
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  const setThreshold = (input: object) =>
    as.mutate(
      'setLowStockThreshold',
      'LowStockThresholdInput',
      input,
      'lowStockThreshold isLowStock',
    );
  interface Node {
    node: { id: string; variant: { sku: string } };
  }
  const lowSkus = async (of: ReturnType<typeof actAs>, variables: object, args = '') => {
    const { edges } = await of.must(
      `query ($shopId: UUID) { lowStock(shopId: $shopId ${args}) {
         edges { node { id isLowStock variant { sku } } } } }`,
      variables,
    );
    return edges.map(({ node }: Node) => node.variant.sku);
  };

  it('a level is low below its threshold, which is ten by default', async () => {
    const { sku, warehouseIds, shopId } = await openShop(system, vendor, [10]);
    const [warehouseId] = warehouseIds;
    expect(await lowSkus(as, { shopId })).toEqual([]);
    expect(await setThreshold({ warehouseId, sku, threshold: 11 })).toEqual({
      lowStockThreshold: 11,
      isLowStock: true,
    });
    expect(await lowSkus(as, { shopId })).toEqual([sku]);
    const ofWarehouse = await as.must(
      `query ($id: UUID!) { warehouse(id: $id) {
         low: stockLevels(lowOnly: true) { edges { node { lowStockThreshold } } }
         other: stockLevels(lowOnly: true, sku: "OTHER") { edges { cursor } } } }`,
      { id: warehouseId },
    );
    expect(ofWarehouse.low.edges).toEqual([{ node: { lowStockThreshold: 11 } }]);
    expect(ofWarehouse.other.edges).toEqual([]);
    expect(await setThreshold({ warehouseId, sku, threshold: 10 })).toMatchObject({
      isLowStock: false,
    });
    expect(await lowSkus(as, { shopId })).toEqual([]);
  });

  it('refuses a negative threshold, and one for a level that does not exist', async () => {
    const { sku, warehouseIds } = await openShop(system, vendor, [10]);
    const input = { warehouseId: warehouseIds[0], sku, threshold: -1 };
    const refused = (change: object) =>
      as.refused('setLowStockThreshold', 'LowStockThresholdInput', { ...input, ...change });
    expect(await refused({})).toEqual({ code: 'BAD_USER_INPUT', fields: ['input.threshold'] });
    expect(await refused({ threshold: 1, sku: 'OTHER' })).toEqual({
      code: 'NOT_FOUND',
      fields: [],
    });
  });

  it('a receipt may set the threshold, and otherwise leaves it', async () => {
    const { sku, warehouseIds } = await openShop(system, vendor, [10]);
    const receive = (input: object) =>
      as.mutate(
        'receiveStock',
        'ReceiveStockInput',
        { warehouseId: warehouseIds[0], sku, quantity: 1, ...input },
        'onHand lowStockThreshold isLowStock',
      );
    const level = { onHand: 11, lowStockThreshold: 20, isLowStock: true };
    expect(await receive({ threshold: 20 })).toEqual(level);
    expect(await receive({})).toEqual({ ...level, onHand: 12 });
    expect(await receive({ threshold: null })).toEqual({ ...level, onHand: 13 });
    const never = { onHand: 14, lowStockThreshold: 0, isLowStock: false };
    expect(await receive({ threshold: 0 })).toEqual(never);
  });

  it('a refused receipt leaves the threshold', async () => {
    const { sku, warehouseIds, shopId } = await openShop(system, vendor, [10]);
    const [warehouseId] = warehouseIds as [string];
    await as.putStock(warehouseId, `sku,quantity\n${sku},100000000\n`);
    const input = { warehouseId, sku, quantity: 1, threshold: 100_000_000 };
    const refused = (change: object) =>
      as.refused('receiveStock', 'ReceiveStockInput', { ...input, ...change });
    const invalid = (field: string) => ({ code: 'BAD_USER_INPUT', fields: [field] });
    expect(await refused({})).toEqual(invalid('input.quantity'));
    expect(await refused({ threshold: -1 })).toEqual(invalid('input.threshold'));
    expect(await refused({ threshold: 100_000_001 })).toEqual(invalid('input.threshold'));
    expect(await as.levels(warehouseId)).toMatchObject([{ onHand: 100_000_000 }]);
    await setThreshold({ warehouseId, sku, threshold: 0 });
    expect(await lowSkus(as, { shopId })).toEqual([]);
  });

  it('lists the low levels of all shops of a vendor, and of no other vendor', async () => {
    const person = await registerPerson(system, 'VENDOR');
    const own = actAs(system, person);
    expect(await lowSkus(own, {})).toEqual([]);
    const shops = [await openShop(system, person, [1]), await openShop(system, person, [2])];
    await openShop(system, person, [10]);
    expect(await lowSkus(own, {})).toEqual(shops.map(({ sku }) => sku));
    expect(await lowSkus(own, {}, ', first: 1')).toEqual([shops[0]?.sku]);
    const query = 'query ($shopId: UUID) { lowStock(shopId: $shopId) { edges { cursor } } }';
    const { errors } = await as.reply(query, { shopId: shops[0]?.shopId });
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  it('lists the low levels of all shops for an admin, in pages', async () => {
    const other = await registerPerson(system, 'VENDOR');
    const shops = [
      await openShop(system, vendor, [1, 2, 10]),
      await openShop(system, other, [3]),
      await openShop(system, other, [10]),
    ] as const;
    const admin = actAs(system, await logIn(system, 'ada'));
    const query = `query ($after: String, $shopId: UUID) {
      lowStock(first: 2, after: $after, shopId: $shopId) {
        pageInfo { hasNextPage endCursor }
        edges { node { isLowStock variant { sku } warehouse { id shop { id } } } } } }`;
    const low: Array<{ shop: string; warehouse: string }> = [];
    for (let after: string | null = null, isLast = false; !isLast; ) {
      const { edges, pageInfo } = await admin.must(query, { after });
      for (const { node } of edges) {
        expect(node.isLowStock).toBe(true);
        low.push({ shop: node.warehouse.shop.id, warehouse: node.warehouse.id });
      }
      [after, isLast] = [pageInfo.endCursor, !pageInfo.hasNextPage];
    }
    expect(new Set(low.map(({ warehouse }) => warehouse)).size).toBe(low.length);
    expect(low.map(({ shop }) => shop)).toEqual(low.map(({ shop }) => shop).sort());
    const lowIn = (shopId: string) =>
      low.filter(({ shop }) => shop === shopId).map(({ warehouse }) => warehouse);
    expect(lowIn(shops[0].shopId)).toEqual(shops[0].warehouseIds.slice(0, 2));
    expect(lowIn(shops[1].shopId)).toEqual(shops[1].warehouseIds);
    expect(lowIn(shops[2].shopId)).toEqual([]);
    expect(await lowSkus(admin, { shopId: shops[1].shopId })).toEqual([shops[1].sku]);
    expect(await lowSkus(actAs(system, other), {})).toEqual([shops[1].sku]);
  });

  function alertsOf(shopId: string, token?: string) {
    const client = createClient({
      url: `ws://127.0.0.1:${system.ports.ports.warehouse}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: {
        [callerHeader]: callerCredentials('router', system.secrets.callers.ROUTER_SECRET as string),
        ...(token && { authorization: `Bearer ${token}` }),
      },
    });
    const seen: Array<{ available: number; variant: { sku: string } }> = [];
    let code: string | undefined;
    const query = `subscription ($shopId: UUID!) {
      lowStockAlert(shopId: $shopId) { available isLowStock variant { sku } } }`;
    client.subscribe<{ lowStockAlert: (typeof seen)[0] }>(
      { query, variables: { shopId } },
      {
        next: ({ data, errors }) => {
          if (data) seen.push(data.lowStockAlert);
          else code = errors?.[0]?.extensions?.code as string;
        },
        error: () => {},
        complete: () => {},
      },
    );
    return { seen, code: () => code, close: () => client.dispose() };
  }

  it('alerts the shop’s owner each time that a level becomes low, and nobody else', async () => {
    const { sku, warehouseIds, offerId, shopId } = await openShop(system, vendor, [12]);
    const other = await openShop(system, vendor, [12]);
    const alerts = alertsOf(shopId, vendor.token);
    const refused = [
      alertsOf(shopId),
      alertsOf(shopId, customer.token),
      alertsOf(shopId, (await registerPerson(system, 'VENDOR')).token),
    ];
    const codes = await eventually(
      async () => refused.map(({ code }) => code()),
      (all) => all.every(Boolean),
    );
    expect(codes).toEqual(['UNAUTHENTICATED', 'FORBIDDEN', 'FORBIDDEN']);
    const received = (count: number) =>
      eventually(
        async () => alerts.seen.length,
        (length) => length === count,
      );

    await checkout(system, customer, [{ offerId, quantity: 2 }]);
    await checkout(system, customer, [{ offerId: other.offerId, quantity: 5 }]);
    await checkout(system, customer, [{ offerId, quantity: 1 }]);
    await received(1);
    await checkout(system, customer, [{ offerId, quantity: 1 }]);
    const receipt = { warehouseId: warehouseIds[0], sku, quantity: 5 };
    await as.mutate('receiveStock', 'ReceiveStockInput', receipt, 'id');
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await setThreshold({ warehouseId: warehouseIds[0], sku, threshold: 14 });
    await received(2);
    await setThreshold({ warehouseId: warehouseIds[0], sku, threshold: 5 });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const withThreshold = { ...receipt, quantity: 1, threshold: 15 };
    await as.mutate('receiveStock', 'ReceiveStockInput', withThreshold, 'id');
    await received(3);
    expect(alerts.seen).toMatchObject([
      { available: 9, isLowStock: true, variant: { sku } },
      { available: 13, isLowStock: true, variant: { sku } },
      { available: 14, isLowStock: true, variant: { sku } },
    ]);
    for (const each of [alerts, ...refused]) await each.close();
  });
});
