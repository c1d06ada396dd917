import { seedStore } from '../dev/seed/store.js';
import type { SubgraphName } from '../ops/subgraph-names.js';
import { type List, nodes, nodesOf } from './harness/connections.js';
import { checkout, logIn, type Person, pay } from './harness/people.js';
import { statementsOfRequest } from './harness/request-statements.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { querySubgraph } from './rights/requests.js';

const variantsMin = 300; // some hundred products
const many = 50;

interface ShopAnswer {
  readonly id: string;
  readonly owner: { readonly id: string };
  readonly offers: List<{ id: string; availability: { available: number } }>;
}
interface WarehouseAnswer {
  readonly id: string;
  readonly stockLevels: List<{ onHand: number; committed: number; variant: { sku: string } }>;
}
interface OrderAnswer {
  readonly id: string;
  readonly shopOrders: ReadonlyArray<{
    readonly id: string;
    readonly shop: { readonly id: string };
  }>;
}

interface Case {
  readonly who: 'nobody' | 'vera' | 'ana';
  /** a query with a list of `$first` nodes */
  readonly query: string;
  /** minimum length of the longest list, in what the test created; 20 if omitted */
  readonly length?: number;
}

const variant = 'variant { sku name product { id name } availability { available version } }';

/** Each list of the API, with the fields that are usually read with it. */
const cases: Record<string, Case> = {
  'a page of the catalogue': {
    who: 'nobody',
    query: `query ($first: Int!) { list: products(first: $first) { totalCount ${nodes(
      `id name category { name parent { name } } priceRange { lowest { amount } }
       variants { sku name options { name }
         offers(first: 2) { id price { amount } shop { name owner { name } } availability { available } }
         availability { available incoming isLowStock reasons { quantity } version } }`,
    )} } }`,
  },
  'a page of a category': {
    who: 'nobody',
    length: 5,
    query: `query ($first: Int!, $category: UUID!) {
      list: products(first: $first, filter: { categoryId: $category }) { ${nodes(
        'name category { name children { name } products(first: 2) { totalCount edges { node { name } } } }',
      )} } }`,
  },
  'the offers of a shop': {
    who: 'nobody',
    query: `query ($first: Int!, $shop: UUID!) { shop(id: $shop) { list: offers(first: $first) {
      ${nodes(`price { amount } shop { name } availability { available incoming } ${variant}`)} } } }`,
  },
  shops: {
    who: 'nobody',
    length: 3,
    query: `query ($first: Int!) { list: shops(first: $first) { ${nodes(
      `name owner { name } offers(first: 5) { ${nodes(`price { amount } ${variant}`)} }`,
    )} } }`,
  },
  'the stock of a shop': {
    who: 'vera',
    query: `query ($first: Int!, $shop: UUID!) { shop(id: $shop) { name warehouses { ${nodes(
      `name shop { name } list: stockLevels(first: $first) { ${nodes(
        `onHand reserved committed unavailable buffer available shortfall countedAt isLowStock warehouse { name } ${variant} movements(first: 2) { edges { node { type } } }`,
      )} }`,
    )} } } }`,
  },
  'what is low in stock': {
    who: 'vera',
    length: 5,
    query: `query ($first: Int!) { list: lowStock(first: $first) { ${nodes(
      `onHand warehouse { name shop { name } events(first: 2) { edges { node { type } } } } ${variant}`,
    )} } }`,
  },
  'the history of warehouses': {
    who: 'vera',
    length: 5,
    query: `query ($first: Int!, $shop: UUID!) { shop(id: $shop) { warehouses { ${nodes(
      `name list: events(first: $first) { ${nodes('type actor at')} }`,
    )} } } }`,
  },
  'stock counts': {
    who: 'vera',
    length: 5,
    query: `query ($first: Int!, $shop: UUID!) { shop(id: $shop) { warehouses { ${nodes(
      `list: stockCounts(first: $first) { ${nodes(
        `status openedAt warehouse { name } lines { counted countedAt expected variance ${variant} }`,
      )} }`,
    )} } } }`,
  },
  'stock shortfalls': {
    who: 'vera',
    length: 5,
    query: `query ($first: Int!, $shop: UUID!) { list: stockShortfalls(shopId: $shop, first: $first) { ${nodes(
      `units level { onHand committed warehouse { name } ${variant} }
       orders(first: 2) { ${nodes(
         'units paid shopOrder { id status order { number } shop { name } items { name } subtotal { amount } }',
       )} }`,
    )} } }`,
  },
  'the orders of a shop': {
    who: 'vera',
    length: 4,
    query: `query ($first: Int!, $shop: UUID!) { shop(id: $shop) { list: orders(first: $first) { ${nodes(
      'status order { number shippingAddress { recipient city } customer { id } } items { name }',
    )} } } }`,
  },
  transfers: {
    who: 'vera',
    length: 4,
    query: `query ($first: Int!, $shop: UUID!) { list: transfers(shopId: $shop, first: $first) { ${nodes(
      `from { name shop { name } } to { name } lines { quantity ${variant} }`,
    )} } }`,
  },
  orders: {
    who: 'ana',
    length: 4,
    query: `query ($first: Int!) { list: orders(first: $first) { ${nodes(
      `number customer { name } shippingAddress { recipient } total { amount } payments { ${nodes('id status order { number }')} }
       shopOrders { order { number } shop { name } items { name offer { price { amount } availability { available } } ${variant} } }`,
    )} } }`,
  },
};

/** type, its subgraph, who may see several of them, the name of their keys, and a query that finds them */
const referencedTypes: [string, SubgraphName, Case['who'], string, string][] = [
  ['User', 'user', 'nobody', 'id', `{ shops { ${nodes('owner { id }')} } }`],
  ['Product', 'product', 'nobody', 'id', `{ products { ${nodes('id')} } }`],
  ['ProductVariant', 'product', 'nobody', 'sku', `{ products { ${nodes('variants { sku }')} } }`],
  ['Category', 'product', 'nobody', 'id', '{ categories { id } }'],
  ['Shop', 'shop', 'nobody', 'id', `{ shops { ${nodes('id')} } }`],
  [
    'Offer',
    'shop',
    'nobody',
    'id',
    `query ($shop: UUID!) { shop(id: $shop) { offers { ${nodes('id')} } } }`,
  ],
  [
    'Warehouse',
    'warehouse',
    'vera',
    'id',
    `query ($shop: UUID!) { shop(id: $shop) { warehouses { ${nodes('id')} } } }`,
  ],
  ['StockLevel', 'warehouse', 'vera', 'id', `{ lowStock { ${nodes('id')} } }`],
  [
    'StockTransfer',
    'warehouse',
    'vera',
    'id',
    `query ($shop: UUID!) { transfers(shopId: $shop) { ${nodes('id')} } }`,
  ],
  ['Order', 'order', 'ana', 'id', `{ orders { ${nodes('id')} } }`],
  ['ShopOrder', 'order', 'ana', 'id', `{ orders { ${nodes('shopOrders { id }')} } }`],
  ['Payment', 'order', 'ana', 'id', `{ orders { ${nodes(`payments { ${nodes('id')} }`)} } }`],
];

describe('however long a list is', () => {
  let system: TestSystem;
  let people: Record<Case['who'], Person | undefined>;
  let shown: { shop: string; category: string };
  const tokenOf = (who: Case['who']) => people[who]?.token;

  beforeAll(async () => {
    system = await startSystem({ QUERY_DEPTH_MAX: '14', QUERY_COST_MAX: '100000000' });
    await seedStore(system.databases, variantsMin);
    const [vera, ana] = [await logIn(system, 'vera'), await logIn(system, 'ana')];
    people = { nobody: undefined, vera, ana };
    await makeHistory(vera, ana);
  });
  afterAll(() => system.stop());

  /** Creates transfers, orders, low levels, events and movements in the shop of Vera that has the most offers. */
  async function makeHistory(vera: Person, ana: Person) {
    const as = actAs(system, vera);
    const shops = await as.must(
      `{ shops(first: 100) { ${nodes(
        `id owner { id } offers(first: 60) { ${nodes('id availability { available }')} }`,
      )} } }`,
    );
    const verasShops = nodesOf<ShopAnswer>(shops)
      .filter(({ owner }) => owner.id === vera.id)
      .sort((a, b) => b.offers.edges.length - a.offers.edges.length);
    const [shop] = verasShops as [ShopAnswer];
    const readWarehouses = async (): Promise<[WarehouseAnswer, WarehouseAnswer]> => {
      const query = `query ($id: UUID!) { shop(id: $id) { warehouses { ${nodes(
        `id stockLevels(first: 100) { ${nodes('onHand committed variant { sku }')} }`,
      )} } } }`;
      const [from, to] = nodesOf<WarehouseAnswer>(
        (await as.must(query, { id: shop.id })).warehouses,
      );
      return [from as WarehouseAnswer, to as WarehouseAnswer];
    };
    const warehouses = await readWarehouses();
    const { categories } = (await system.graphql('{ categories { id children { id } } }')).data;
    const [from, to] = warehouses;
    const skus = nodesOf(from.stockLevels)
      .filter(({ onHand }) => onHand > 5)
      .map(({ variant: { sku } }) => sku);
    shown = {
      shop: shop.id,
      category: categories.find(({ children }: { children: [] }) => children.length > 0).id,
    };
    for (const verb of ['deactivate', 'activate', 'deactivate', 'activate']) {
      const change = `mutation ($id: UUID!) { ${verb}Warehouse(id: $id) { __typename } }`;
      await as.must(change, { id: to.id });
    }
    for (const length of [20, 10, 5, 2, 1]) {
      const count = { warehouseId: from.id, skus: skus.slice(0, length), showExpected: true };
      await as.mutate('openStockCount', 'OpenStockCountInput', count, 'id');
    }
    for (let n = 0; n < 4; n++) {
      const lines = skus.slice(0, n + 2).map((sku) => ({ sku, quantity: 1 }));
      const input = { from: from.id, to: to.id, lines };
      await as.mutate('dispatchTransfer', 'TransferStockInput', input, '__typename');
    }
    for (const sku of skus.slice(0, 5)) {
      const input = { warehouseId: from.id, sku, threshold: 1000 };
      await as.mutate('setLowStockThreshold', 'LowStockThresholdInput', input, 'id');
    }
    const offers = verasShops
      .map((each) => nodesOf(each.offers).filter((offer) => offer.availability.available > 5))
      .flatMap((each) => each.slice(0, 2).map(({ id }) => id));
    expect(offers.length).toBeGreaterThan(3);
    for (let n = 0; n < 4; n++) {
      const items = offers.slice(0, n + 2).map((offerId) => ({ offerId, quantity: 1 }));
      const { data } = await checkout(system, ana, items);
      expect(data.checkout.__typename).toBe('CheckoutSuccess');
      await pay(system, ana, data.checkout.order.id);
    }
    const ofShop = nodesOf(shop.offers).filter((offer) => offer.availability.available > 5);
    const items = ofShop.slice(0, 6).map(({ id }) => ({ offerId: id, quantity: 1 }));
    const { data } = await checkout(system, ana, items);
    expect((await pay(system, ana, data.checkout.order.id)).errors).toBeUndefined();
    for (const { id: warehouseId, stockLevels } of await readWarehouses()) {
      for (const { onHand, committed, variant } of nodesOf(stockLevels)) {
        if (committed === 0) continue;
        const lost = { warehouseId, sku: variant.sku, delta: -onHand, reason: 'lost' };
        await as.mutate('adjustStock', 'AdjustStockInput', lost, '__typename');
      }
    }
  }

  it.each(Object.entries(cases))(
    '%s takes as many SQL statements as one of its rows',
    async (_, each) => {
      const ask = (first: number) => () => {
        const variables = { first, ...shown };
        return system.graphql(each.query, variables, tokenOf(each.who));
      };
      await ask(many)(); // fills caches, such as the owners of shops
      const one = await statementsOfRequest(ask(1));
      const all = await statementsOfRequest(ask(many));
      expect([one.reply.errors, all.reply.errors]).toEqual([undefined, undefined]);
      expect(longestList(one.reply.data)).toBe(1);
      expect(longestList(all.reply.data)).toBeGreaterThanOrEqual(each.length ?? 20);
      expect(one.statements.length).toBeGreaterThan(1);
      expect(all.statements).toEqual(one.statements);
    },
  );

  it.each(referencedTypes)(
    'many references to %s are resolved by %s in one statement',
    async (type, subgraph, who, key, query) => {
      const token = tokenOf(who);
      const { data } = await system.graphql(query, shown, token);
      const keys = [...new Set(valuesOf(data, key))];
      expect(keys.length).toBeGreaterThan(1);
      const field = key === 'sku' ? 'sku' : 'id';
      const request = {
        query: `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ${type} { ${field} } } }`,
        variables: { of: keys.map((value) => ({ __typename: type, [field]: value })) },
      };
      const ask = () => querySubgraph(system, subgraph, request, 'router', token);
      const { reply, statements } = await statementsOfRequest(ask);
      expect(reply.errors).toBeUndefined();
      expect(reply.data._entities).toEqual(keys.map((value) => ({ [field]: value })));
      const own = statements.filter((each) => each.startsWith(`${subgraph}:`));
      expect(own).toHaveLength(1);
    },
  );

  it('many references to ShopOrder by order and shop are resolved by order in two statements', async () => {
    const query = `{ orders { ${nodes('id shopOrders { id shop { id } }')} } }`;
    const token = tokenOf('ana');
    const orders = nodesOf<OrderAnswer>((await system.graphql(query, {}, token)).data.orders);
    const keys = orders.flatMap(({ id, shopOrders }) =>
      shopOrders.map(({ shop }) => ({ __typename: 'ShopOrder', order: { id }, shop })),
    );
    expect(keys.length).toBeGreaterThan(5);
    const request = {
      query: `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ShopOrder { id } } }`,
      variables: { of: keys },
    };
    const ask = () => querySubgraph(system, 'order', request, 'router', token);
    const { reply, statements } = await statementsOfRequest(ask);
    const ids = orders.flatMap(({ shopOrders }) => shopOrders.map(({ id }) => ({ id })));
    expect(reply.data._entities).toEqual(ids);
    expect(statements.filter((each) => each.startsWith('order:'))).toHaveLength(2);
  });

  /** All values under a name. */
  function valuesOf(data: unknown, name: string): unknown[] {
    if (typeof data !== 'object' || data === null) return [];
    return Object.entries(data).flatMap(([key, value]) =>
      key === name ? [value] : valuesOf(value, name),
    );
  }

  /** Length of the longest list under the name `list`. */
  function longestList(data: unknown): number {
    if (typeof data !== 'object' || data === null) return 0;
    const rows = (data as { list?: { edges: unknown[] } }).list?.edges.length ?? 0;
    return Math.max(rows, ...Object.values(data).map(longestList));
  }
});
