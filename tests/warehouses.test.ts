import pg from 'pg';
import { newId } from '../subgraphs/shared/ids.js';
import { nodesOf } from './harness/connections.js';
import {
  availableOf,
  checkout,
  logIn,
  openShop,
  type Person,
  pay,
  registerPerson,
} from './harness/people.js';
import { retry } from './harness/retry.js';
import { type GraphQLReply, startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { querySubgraph } from './rights/requests.js';

describe('warehouses and stock levels of a vendor, through the router', () => {
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

  const adjusted = `__typename ... on StockLevel { onHand available } ... on StaleStock { message onHand }
    ... on NotEnoughOnHand { message levels { sku requested onHand reserved } }`;
  const adjustMutation = `mutation ($input: AdjustStockInput!) {
    adjustStock(input: $input) { ${adjusted} } }`;
  const adjust = (input: object) => as.must(adjustMutation, { input });
  const codeOf = ({ errors }: GraphQLReply) => errors?.[0]?.extensions.code;
  const onHand = async (warehouseId: string) => (await as.levels(warehouseId))[0]?.onHand;

  it('changes the name, address and priority of a warehouse, and keeps omitted fields', async () => {
    const { warehouseIds } = await openShop(system, vendor, [1]);
    const change = (input: object) =>
      as.mutate(
        'updateWarehouse',
        'UpdateWarehouseInput',
        { id: warehouseIds[0], ...input },
        'name priority active address { city }',
      );
    const address = { street: '1 Main St', city: 'Springfield', zip: '12345', country: 'US' };
    expect(await change({ name: 'North', address })).toEqual({
      name: 'North',
      priority: 0,
      active: true,
      address: { city: 'Springfield' },
    });
    expect(await change({ priority: 9 })).toMatchObject({
      name: 'North',
      priority: 9,
      address: {},
    });
    expect(await change({ address: null })).toMatchObject({ priority: 9, address: null });
  });

  it('are at most as many in a shop as its limit, which an admin sets', async () => {
    const { shopId } = await openShop(system, vendor, [1, 1]); // and its first, Main
    const admin = await logIn(system, 'ada');
    const limit = { shopId, warehouses: 4 };
    const set =
      'mutation ($input: SetWarehouseLimitInput!) { setWarehouseLimit(input: $input) { warehouses } }';
    expect(codeOf(await system.graphql(set, { input: limit }, vendor.token))).toBe('FORBIDDEN');
    expect((await system.graphql(set, { input: limit }, admin.token)).data).toEqual({
      setWarehouseLimit: { warehouses: 4 },
    });
    const create = () =>
      system.graphql(
        'mutation ($input: CreateWarehouseInput!) { createWarehouse(input: $input) { id } }',
        { input: { shopId, name: 'One more' } },
        vendor.token,
      );
    const codes = (await Promise.all([1, 2, 3, 4].map(create))).map(codeOf);
    expect(codes.toSorted()).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT', undefined]);
    const ofShop = 'query ($id: UUID!) { shop(id: $id) { warehouses { edges { node { id } } } } }';
    expect((await as.must(ofShop, { id: shopId })).warehouses.edges).toHaveLength(4);
    const unknown = { shopId: newId(), warehouses: 4 };
    expect(codeOf(await system.graphql(set, { input: unknown }, admin.token))).toBe('NOT_FOUND');
    await system.graphql(set, { input: { shopId, warehouses: 1 } }, admin.token);
    expect((await create()).errors?.[0]?.message).toBe(
      'The shop may have at most 1 warehouse. Ask an admin for more.',
    );
  });

  it('are at most 200 in a shop whose limit nobody has set', async () => {
    const { shopId } = await openShop(system, vendor, []);
    const database = new pg.Client({ connectionString: system.databases.warehouse });
    await database.connect();
    const count = async () => {
      const { rows } = await database.query(
        'select count(*)::int as n from warehouse where shop_id = $1',
        [shopId],
      );
      return rows[0].n;
    };
    await database.query(
      `with opened as (
         insert into warehouse (id, shop_id, name)
         select gen_random_uuid(), $1, 'W' || n from generate_series(1, 199 - $2::int) as n returning id
       )
       insert into warehouse_event (id, shop_id, warehouse_id, type, actor)
       select gen_random_uuid(), $1, id, 'ACTIVATED', 'test' from opened`,
      [shopId, await count()],
    );
    const create = async () => {
      const input = { shopId, name: 'One more' };
      const mutation =
        'mutation ($input: CreateWarehouseInput!) { createWarehouse(input: $input) { id } }';
      return codeOf(await system.graphql(mutation, { input }, vendor.token));
    };
    expect([await create(), await create()]).toEqual([undefined, 'CONFLICT']);
    expect(await count()).toBe(200);
    await database.end();
  });

  it.each([
    ['an empty name', { name: '' }, 'input.name'],
    ['a negative priority', { priority: -1 }, 'input.priority'],
    [
      'an address without a street',
      { address: { street: '', city: 'C', zip: '1', country: 'US' } },
      'input.address.street',
    ],
  ])('refuses a warehouse with %s', async (_, change, field) => {
    const { warehouseIds } = await openShop(system, vendor, [1]);
    const input = { id: warehouseIds[0], ...change };
    expect(await as.refused('updateWarehouse', 'UpdateWarehouseInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: [field],
    });
    const { name, priority } = await as.must(
      'query ($id: UUID!) { warehouse(id: $id) { name priority } }',
      { id: warehouseIds[0] },
    );
    expect({ name, priority }).toEqual({ name: 'Warehouse 0', priority: 0 });
  });

  it('serves orders from the warehouse with the lowest priority number', async () => {
    const { offerId, warehouseIds } = await openShop(system, vendor, [5, 5]);
    const input = { id: warehouseIds[0], priority: 50 };
    await as.mutate('updateWarehouse', 'UpdateWarehouseInput', input, 'id');
    await checkout(system, customer, [{ offerId, quantity: 2 }]);
    expect((await as.levels(warehouseIds[1] as string))[0]?.reserved).toBe(2);
  });

  it('adjusts a level by a delta', async () => {
    const { sku, warehouseIds, offerId } = await openShop(system, vendor, [5]);
    const input = { warehouseId: warehouseIds[0], sku, reason: 'two were broken' };
    expect(await adjust({ ...input, delta: -2 })).toEqual({
      __typename: 'StockLevel',
      onHand: 3,
      available: 3,
    });
    expect(await availableOf(system, offerId)).toBe(3);
  });

  it('sets a level to a count, if the expected units were on hand', async () => {
    const { sku, warehouseIds } = await openShop(system, vendor, [5]);
    const input = { warehouseId: warehouseIds[0], sku, reason: 'counted', setTo: 9 };
    const stale = await adjust({ ...input, expectedOnHand: 4 });
    expect(stale).toMatchObject({ __typename: 'StaleStock', onHand: 5 });
    expect(await onHand(warehouseIds[0] as string)).toBe(5);
    expect(await adjust({ ...input, expectedOnHand: 5 })).toMatchObject({ onHand: 9 });
    const again = await adjust({ ...input, expectedOnHand: 5 });
    expect(again).toMatchObject({ __typename: 'StaleStock', onHand: 9 });
  });

  it('applies one of twenty simultaneous counts of a level', async () => {
    const { sku, warehouseIds } = await openShop(system, vendor, [5]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const counted = { warehouseId: warehouseIds[0], sku, reason: 'counted', setTo: 10 + n };
        const input = { ...counted, expectedOnHand: 5 };
        const { data } = await retry(() => as.reply(adjustMutation, { input }));
        return data.adjustStock;
      }),
    );
    const set = answers.filter(({ __typename }) => __typename === 'StockLevel');
    expect(set).toHaveLength(1);
    for (const stale of answers.filter((answer) => answer !== set[0])) {
      expect(stale.onHand).toBe(set[0].onHand);
    }
  });

  it('accepts a count below the reserved units, and removes no unit that is not there', async () => {
    const { sku, warehouseIds, offerId } = await openShop(system, vendor, [5]);
    await checkout(system, customer, [{ offerId, quantity: 3 }]);
    const input = { warehouseId: warehouseIds[0], sku, reason: 'lost' };
    expect(await adjust({ ...input, delta: -6 })).toMatchObject({
      __typename: 'NotEnoughOnHand',
      levels: [{ sku, requested: 6, onHand: 5, reserved: 3 }],
    });
    expect(await onHand(warehouseIds[0] as string)).toBe(5);
    expect(await adjust({ ...input, delta: -2 })).toMatchObject({ onHand: 3, available: 0 });
    expect(await adjust({ ...input, setTo: 1, expectedOnHand: 3 })).toMatchObject({ onHand: 1 });
  });

  it('adds units of a sku that the warehouse never had, and removes none', async () => {
    const { sku, warehouseIds, shopId, offerId } = await openShop(system, vendor, [5]);
    const { id } = await as.mutate(
      'createWarehouse',
      'CreateWarehouseInput',
      { shopId, name: 'Empty' },
      'id',
    );
    const input = { warehouseId: id, sku, reason: 'found in a corner' };
    expect(await adjust({ ...input, delta: -1 })).toMatchObject({ __typename: 'NotEnoughOnHand' });
    expect(await as.levels(id)).toEqual([]);
    expect(await adjust({ ...input, setTo: 2, expectedOnHand: 0 })).toMatchObject({ onHand: 2 });
    expect(await availableOf(system, offerId)).toBe(7);
    expect(warehouseIds).not.toContain(id);
  });

  it.each([
    ['neither delta nor count', {}, 'input.delta'],
    ['both delta and count', { delta: 1, setTo: 1, expectedOnHand: 5 }, 'input.delta'],
    ['a delta of 0', { delta: 0 }, 'input.delta'],
    ['a count without the expected units', { setTo: 1 }, 'input.expectedOnHand'],
    ['a negative count', { setTo: -1, expectedOnHand: 5 }, 'input.setTo'],
    ['no reason', { delta: 1, reason: '' }, 'input.reason'],
    ['a sku that is no variant', { delta: 1, sku: 'NOBODY-SELLS-IT' }, 'input.sku'],
  ])('refuses an adjustment with %s', async (_, change, field) => {
    const { sku, warehouseIds } = await openShop(system, vendor, [5]);
    const input = { warehouseId: warehouseIds[0], sku, reason: 'counted', ...change };
    expect(await as.refused('adjustStock', 'AdjustStockInput', input)).toEqual({
      code: 'BAD_USER_INPUT',
      fields: [field],
    });
    expect(await onHand(warehouseIds[0] as string)).toBe(5);
  });

  const deactivate = (id: string | undefined) =>
    as.must(
      `mutation ($id: UUID!) { deactivateWarehouse(id: $id) {
         unitsWithdrawn unitsReserved warehouse { id active } } }`,
      { id },
    );

  it('deactivates a warehouse, which then sells nothing, and counts the units withdrawn', async () => {
    const { offerId, warehouseIds } = await openShop(system, vendor, [5, 4]);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 2 }]);
    const id = warehouseIds[0];
    const deactivated = { unitsWithdrawn: 3, unitsReserved: 2, warehouse: { id, active: false } };
    expect(await deactivate(id)).toEqual(deactivated);
    expect(await availableOf(system, offerId)).toBe(4);
    const short = await checkout(system, customer, [{ offerId, quantity: 5 }]);
    expect(short.data.checkout).toMatchObject({ lines: [{ requested: 5, available: 4 }] });
    expect(await deactivate(id)).toEqual({ ...deactivated, unitsWithdrawn: 0 });

    const paid = await pay(system, customer, data.checkout.order.id);
    expect(paid.data.payOrder.__typename).toBe('PaymentSuccess');
    expect(await as.levels(id as string)).toMatchObject([{ onHand: 5, reserved: 0, committed: 2 }]);
    expect(await availableOf(system, offerId)).toBe(4);
  });

  it('sells units that returned to an inactive warehouse once it is activated again', async () => {
    const { offerId, warehouseIds } = await openShop(system, vendor, [5]);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 2 }]);
    await deactivate(warehouseIds[0]);
    await system.graphql(
      'mutation ($id: UUID!) { cancelOrder(id: $id) { __typename } }',
      { id: data.checkout.order.id },
      customer.token,
    );
    expect(await availableOf(system, offerId)).toBe(0);
    const open = 'mutation ($id: UUID!) { activateWarehouse(id: $id) { active } }';
    expect(await as.must(open, { id: warehouseIds[0] })).toEqual({ active: true });
    expect(await availableOf(system, offerId)).toBe(5);
  });

  it('lists the warehouses of a shop in pages, by priority', async () => {
    const { shopId } = await openShop(system, vendor, [1, 1, 1, 1, 1]);
    const read = async (args: string) =>
      (
        await as.must(
          `query ($id: UUID!) { shop(id: $id) { warehouses${args} {
             edges { node { id priority } } pageInfo { hasNextPage endCursor } } } }`,
          { id: shopId },
        )
      ).warehouses;
    const all = nodesOf<{ id: string; priority: number }>((await read('')) as never);
    expect(all.length).toBeGreaterThanOrEqual(5);
    const order = (one: (typeof all)[0], other: (typeof all)[0]) =>
      one.priority - other.priority || (one.id < other.id ? -1 : 1);
    expect(all).toEqual(all.toSorted(order));
    const first = await read('(first: 2)');
    const rest = await read(`(after: "${first.pageInfo.endCursor}")`);
    expect([first.pageInfo.hasNextPage, rest.pageInfo.hasNextPage]).toEqual([true, false]);
    expect([...first.edges, ...rest.edges].map(({ node }) => node)).toEqual(all);
    await expect(read('(first: 101)')).rejects.toThrow('BAD_USER_INPUT');
    await expect(read('(after: "bm8")')).rejects.toThrow('BAD_USER_INPUT');
  });

  it('refuses every change to the warehouses of another vendor', async () => {
    const { sku, warehouseIds } = await openShop(system, vendor, [5]);
    const other = actAs(system, await registerPerson(system, 'VENDOR'));
    const [warehouseId] = warehouseIds as [string];
    const forbidden = { code: 'FORBIDDEN', fields: [] };
    const adjustment = { warehouseId, sku, delta: 1, reason: 'mine now' };
    expect(await other.refused('adjustStock', 'AdjustStockInput', adjustment)).toEqual(forbidden);
    const change = { id: warehouseId, name: 'Mine' };
    expect(await other.refused('updateWarehouse', 'UpdateWarehouseInput', change)).toEqual(
      forbidden,
    );
    for (const verb of ['activate', 'deactivate']) {
      const mutation = `mutation ($id: UUID!) { ${verb}Warehouse(id: $id) { __typename } }`;
      const { errors } = await other.reply(mutation, { id: warehouseId });
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
      const unknown = await as.reply(mutation, { id: '01a19467-e800-77c1-8019-000000000000' });
      expect(unknown.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    }
    expect(await as.levels(warehouseId)).toMatchObject([{ onHand: 5, available: 5 }]);
  });

  it('creates the first warehouse of a new shop once, however often its event is delivered', async () => {
    const { shopId, warehouseIds } = await openShop(system, vendor, [5]);
    const deliver = async (id: string) => {
      const payload = JSON.stringify({ shopId, name: 'A shop', ownerId: vendor.id });
      const events = [{ id, topic: 'shop.shop.created', key: shopId, version: 1, payload }];
      const query =
        'mutation ($events: [OutboxEvent!]!) { deliverToWarehouse(events: $events) { accepted } }';
      const request = { query, variables: { events } };
      const { data } = await querySubgraph(system, 'warehouse', request, 'shop');
      return data.deliverToWarehouse.accepted;
    };
    const [first, again] = [newId(), newId()];
    expect(await deliver(first)).toEqual([first]);
    expect(await Promise.all([deliver(first), deliver(again)])).toEqual([[first], [again]]);
    const { warehouses } = await as.must(
      `query ($id: UUID!) { shop(id: $id) { warehouses { edges { node { id name priority active
         events { edges { node { type actor } } } } } } } }`,
      { id: shopId },
    );
    const others = nodesOf<{ id: string }>(warehouses).filter(
      ({ id }) => !warehouseIds.includes(id),
    );
    const events = { edges: [{ node: { type: 'ACTIVATED', actor: vendor.id } }] };
    expect(others).toMatchObject([{ name: 'Main', priority: 0, active: true, events }]);
  });
});
