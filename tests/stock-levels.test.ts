import { randomUUID } from 'node:crypto';
import { seedId } from '../dev/seed/ids.js';
import { nodesOf } from './harness/connections.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { statementsOf } from './harness/statements.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { querySubgraph } from './rights/requests.js';

describe('the stock that a vendor and a customer see', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  let as: ReturnType<typeof actAs>;
  beforeAll(async () => {
    system = await startSystem({ QUERY_DEPTH_MAX: '14', QUERY_COST_MAX: '100000000' });
    vendor = await registerPerson(system, 'VENDOR');
    customer = await registerPerson(system);
    as = actAs(system, vendor);
  });
  afterEach(() => system.expectInvariants());
  afterAll(() => system.stop());

  interface Node {
    node: { id: string; variant: { sku: string } };
  }
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
      warehouses { edges { node { name shop { name } stockLevels(first: 60) { edges { node { onHand isLowStock
        warehouse { name } movements(first: 2) { edges { node { type } } }
        variant { name availability { available reasons { quantity } } } } } } } } } } }`;
    const counts: number[] = [];
    for (const { shopId } of shops) {
      const ask = () => as.must(stock, { id: shopId });
      await ask();
      const statements = await statementsOf('warehouse', ask);
      counts.push(statements.length);
    }
    expect(counts[0]).toBeGreaterThan(3);
    expect(counts[1]).toBe(counts[0]);
  });

  it('loads referenced levels with one statement, and their warehouses with one', async () => {
    const { shopId } = await openLargeShop(5);
    const { warehouses } = await as.must(
      `query ($id: UUID!) { shop(id: $id) { warehouses { edges { node { stockLevels(first: 10) {
         edges { node { id } } } } } } } }`,
      { id: shopId },
    );
    const ids = nodesOf<{ stockLevels: { edges: Node[] } }>(warehouses).flatMap(({ stockLevels }) =>
      stockLevels.edges.map(({ node }) => node.id),
    );
    expect(ids).toHaveLength(8);
    const query = `query ($of: [_Any!]!) { _entities(representations: $of) {
      ... on StockLevel { onHand warehouse { name } } } }`;
    const of = ids.map((id: string) => ({ __typename: 'StockLevel', id }));
    const statements = await statementsOf('warehouse', async () => {
      const request = { query, variables: { of } };
      const { errors } = await querySubgraph(system, 'warehouse', request, 'router', vendor.token);
      expect(errors).toBeUndefined();
    });
    expect(statements).toHaveLength(2);
  });
});
