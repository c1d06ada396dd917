import { randomUUID } from 'node:crypto';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { seedId } from '../dev/seed/ids.js';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { statementsOf } from './harness/count-statements.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';
import { querySubgraph } from './rights/requests.js';

describe('the stock that a vendor and a customer see', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem({ QUERY_DEPTH_MAX: '12', QUERY_COST_MAX: '100000000' });
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

  const history = (id: string, args = '') =>
    as.must(
      `query ($id: UUID!) { warehouse(id: $id) { stockLevels(first: 1) { edges { node { movements${args} {
         pageInfo { hasNextPage endCursor }
         edges { node { type onHandDelta reservedDelta committedDelta reference reason actor at } } } } } } } }`,
      { id },
    );

  it('shows the history of a level, newest first, and the level at each moment of it', async () => {
    const before = new Date().toISOString();
    const { sku, warehouseIds, offerId } = await openShop(system, vendor, [5]);
    const [warehouseId] = warehouseIds as [string];
    const { data } = await checkout(system, customer, [{ offerId, quantity: 2 }]);
    const { order } = data.checkout;
    await pay(system, customer, order.id);
    const adjustment = { warehouseId, sku, delta: -1, reason: 'broken' };
    await as.mutate('adjustStock', 'AdjustStockInput', adjustment, '__typename');

    const { edges } = (await history(warehouseId)).stockLevels.edges[0].node.movements;
    const moves = edges.map(({ node }: { node: Record<string, unknown> }) => node);
    expect(moves).toMatchObject([
      { type: 'ADJUSTMENT', onHandDelta: -1, reservedDelta: 0, reason: 'broken', actor: vendor.id },
      { type: 'COMMIT', onHandDelta: 0, reservedDelta: -2, committedDelta: 2, reference: order.id },
      { type: 'RESERVATION', onHandDelta: 0, reservedDelta: 2, reference: order.id },
      { type: 'RECEIPT', onHandDelta: 5, reference: 'first delivery', reason: null },
    ]);

    const at = (moment: unknown, ofSku = sku) =>
      as.must(
        `query ($warehouseId: UUID!, $sku: String!, $at: DateTime!) {
           stockAt(warehouseId: $warehouseId, sku: $sku, at: $at) { at onHand reserved committed available } }`,
        { warehouseId, sku: ofSku, at: moment },
      );
    const snapshots = await Promise.all(moves.map((move: { at: string }) => at(move.at)));
    expect(snapshots).toMatchObject([
      { at: moves[0].at, onHand: 4, reserved: 0, committed: 2, available: 2 },
      { onHand: 5, reserved: 0, committed: 2, available: 3 },
      { onHand: 5, reserved: 2, committed: 0, available: 3 },
      { onHand: 5, reserved: 0, committed: 0, available: 5 },
    ]);
    expect(await at(before)).toMatchObject({ onHand: 0, reserved: 0 });
    expect(await at(new Date().toISOString(), 'OTHER')).toMatchObject({ onHand: 0, available: 0 });
  });

  it('pages through the history, and refuses invalid page arguments', async () => {
    const { sku, warehouseIds } = await openShop(system, vendor, [5]);
    const [warehouseId] = warehouseIds as [string];
    for (let n = 1; n <= 3; n++) {
      const input = { warehouseId, sku, quantity: n };
      await as.mutate('receiveStock', 'ReceiveStockInput', input, 'id');
    }
    const page = async (args: string) => {
      const { edges, pageInfo } = (await history(warehouseId, args)).stockLevels.edges[0].node
        .movements;
      const deltas = edges.map(({ node }: { node: { onHandDelta: number } }) => node.onHandDelta);
      return { deltas, ...pageInfo };
    };
    const first = await page('(first: 3)');
    expect(first).toMatchObject({ deltas: [3, 2, 1], hasNextPage: true });
    expect(await page(`(first: 3, after: "${first.endCursor}")`)).toMatchObject({
      deltas: [5],
      hasNextPage: false,
    });
    for (const args of ['(first: 0)', '(first: 101)', '(after: "nonsense")']) {
      await expect(page(args)).rejects.toThrow('BAD_USER_INPUT');
    }
  });

  const availability = async (offerId: string, sku: string) => {
    const fields = 'available incoming isLowStock reasons { reason quantity }';
    const { data } = await system.graphql(
      `query ($id: UUID!, $sku: String!) { offer(id: $id) { availability { ${fields} } }
         variant(sku: $sku) { availability { ${fields} } } }`,
      { id: offerId, sku },
    );
    expect(data.variant.availability).toEqual(data.offer.availability);
    return data.offer.availability;
  };

  it('says why further units cannot be bought: reserved, in transit, or in an inactive warehouse', async () => {
    const { sku, warehouseIds, offerId } = await openShop(system, vendor, [20, 20, 5]);
    const [from, to, third] = warehouseIds as [string, string, string];
    expect(await availability(offerId, sku)).toEqual({
      available: 45,
      incoming: 0,
      isLowStock: false,
      reasons: [],
    });
    await checkout(system, customer, [{ offerId, quantity: 3 }]);
    const move = { from, to, lines: [{ sku, quantity: 4 }] };
    await as.mutate('dispatchTransfer', 'TransferStockInput', move, '__typename');
    const close = 'mutation ($id: UUID!) { deactivateWarehouse(id: $id) { unitsWithdrawn } }';
    await as.must(close, { id: third });
    const reasons = [
      { reason: 'INACTIVE_WAREHOUSE', quantity: 5 },
      { reason: 'RESERVED_BY_OTHERS', quantity: 3 },
      { reason: 'IN_TRANSIT', quantity: 4 },
    ];
    const expected = { available: 33, incoming: 4, isLowStock: false, reasons };
    expect(await availability(offerId, sku)).toEqual(expected);
    await as.must(close, { id: from });
    expect(await availability(offerId, sku)).toMatchObject({ available: 20, isLowStock: false });
    await checkout(system, customer, [{ offerId, quantity: 11 }]);
    expect(await availability(offerId, sku)).toMatchObject({ available: 9, isLowStock: true });
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
    expect(alerts.seen).toMatchObject([
      { available: 9, isLowStock: true, variant: { sku } },
      { available: 13, isLowStock: true, variant: { sku } },
    ]);
    for (const each of [alerts, ...refused]) await each.close();
  });

  async function openLargeShop(variants: number) {
    const { shopId, warehouseIds } = await openShop(system, vendor, [1, 1, 1]);
    const tail = randomUUID().slice(0, 8);
    const skus = Array.from({ length: variants }, (_, n) => `MANY-${tail}-${n}`);
    const product = {
      name: `Many ${tail}`,
      description: 'In many sizes',
      categoryId: seedId('category', 0),
      variants: skus.map((sku) => ({ sku, name: sku })),
    };
    await as.mutate('createProduct', 'CreateProductInput', product, 'id');
    for (const sku of skus) {
      await as.mutate('setOffer', 'SetOfferInput', { shopId, sku, price: '1.00' }, 'id');
      const receipt = { warehouseId: warehouseIds[0], sku, quantity: 1 };
      await as.mutate('receiveStock', 'ReceiveStockInput', receipt, 'id');
    }
    return { shopId };
  }

  it('sends the same number of statements for one level as for fifty', async () => {
    const shops = [await openLargeShop(1), await openLargeShop(50)];
    const stock = `query ($id: UUID!) { shop(id: $id) {
      warehouses { name shop { name } stockLevels(first: 60) { edges { node { onHand isLowStock
        warehouse { name } movements(first: 2) { edges { node { type } } }
        variant { name availability { available reasons { quantity } } } } } } } } }`;
    const counts: number[] = [];
    for (const { shopId } of shops) {
      const ask = () => as.must(stock, { id: shopId });
      await ask();
      const statements = await statementsOf('warehouse', /\b(stock_|warehouse)/, ask);
      counts.push(statements.length);
    }
    expect(counts[0]).toBeGreaterThan(3);
    expect(counts[1]).toBe(counts[0]);
  });

  it('loads referenced levels with one statement, and their warehouses with one', async () => {
    const { shopId } = await openLargeShop(5);
    const { warehouses } = await as.must(
      `query ($id: UUID!) { shop(id: $id) { warehouses { stockLevels(first: 10) {
         edges { node { id } } } } } }`,
      { id: shopId },
    );
    const ids = warehouses.flatMap(({ stockLevels }: { stockLevels: { edges: Node[] } }) =>
      stockLevels.edges.map(({ node }) => node.id),
    );
    expect(ids).toHaveLength(8);
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) {
      ... on StockLevel { onHand warehouse { name } } } }`;
    const of = ids.map((id: string) => ({ __typename: 'StockLevel', id }));
    const statements = await statementsOf('warehouse', /\b(stock_|warehouse)/, async () => {
      const request = { query, variables: { of } };
      const { errors } = await querySubgraph(system, 'warehouse', request, 'router', vendor.token);
      expect(errors).toBeUndefined();
    });
    expect(statements).toHaveLength(2);
  });
});
