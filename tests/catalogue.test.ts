import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';

describe('the catalogue, through the router', () => {
  let system: TestSystem;
  let vendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
  });
  afterAll(() => system.stop());

  it('of the demo store is searched and filtered by price and stock, with prices', async () => {
    const { data, errors } = await system.graphql(
      `{ products(sort: PRICE_ASC, filter: { search: "shoes boot", maxPrice: "150", inStock: true }) {
           totalCount edges { node { name variants { sku offers { price { amount } } } } } }
         shoes: products(sort: PRICE_ASC, filter: { search: "sho", maxPrice: "90", inStock: true }) {
           totalCount edges { node { name category { name products(first: 1) { totalCount } } } } } }`,
    );
    expect(errors).toBeUndefined();
    expect(data.products).toEqual({ totalCount: 0, edges: [] });
    expect(data.shoes).toEqual({
      totalCount: 1,
      edges: [
        {
          node: {
            name: 'Trail Running Shoe',
            category: { name: 'Shoes', products: { totalCount: 3 } },
          },
        },
      ],
    });
  });

  it('lists products, prices and stock in one query, with one request per subgraph and type', async () => {
    const counts = new Map<string, number>();
    // The router checks once a second whether each subgraph is up.
    const ping = JSON.stringify({ query: '{ __typename }' });
    const count = (message: unknown) => {
      const { request } = message as { request: { origin: string; body?: unknown } };
      if (String(request.body) === ping) return;
      const port = new URL(request.origin).port;
      counts.set(port, (counts.get(port) ?? 0) + 1);
    };
    subscribe('undici:request:create', count);
    const { data, errors } = await system.graphql(
      `{ products(first: 10) { edges { node { name variants { sku availability { available }
           offers { price { amount } shop { name } availability { available version } } } } } } }`,
    );
    unsubscribe('undici:request:create', count);
    expect(errors).toBeUndefined();
    expect(data.products.edges).toHaveLength(10);
    for (const { node } of data.products.edges) {
      for (const { offers, availability } of node.variants) {
        expect(offers.length).toBeGreaterThan(0);
        const sum = offers.reduce(
          (all: number, offer: { availability: { available: number } }) =>
            all + offer.availability.available,
          0,
        );
        expect(availability.available).toBe(sum);
      }
    }
    const { product, shop, warehouse } = system.ports.ports;
    expect(counts.get(String(product))).toBe(1);
    expect(counts.get(String(shop))).toBe(1);
    // One for the availability of variants, and one for that of offers, which needs the shop's answer.
    expect(counts.get(String(warehouse))).toBe(2);
  });

  it('shows in an order what was bought, even after its product was deleted', async () => {
    const { offerId, sku } = await openShop(system, vendor, [5]);
    const customer = await registerPerson(system);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
    const { id } = data.checkout.order;
    const found = await system.graphql(
      'query ($sku: String!) { variant(sku: $sku) { product { id name } } }',
      { sku },
    );
    const { product } = found.data.variant;
    const deleted = await system.graphql(
      'mutation ($id: UUID!) { deleteProduct(id: $id) }',
      { id: product.id },
      vendor.token,
    );
    expect(deleted.data).toEqual({ deleteProduct: true });
    const order = await system.graphql(
      `query ($id: UUID!) { order(id: $id) { shopOrders { items {
         name variant { sku name product { id name } } } } } }`,
      { id },
      customer.token,
    );
    expect(order.errors).toBeUndefined();
    expect(order.data.order.shopOrders[0].items).toEqual([
      {
        name: `${product.name}, the only one`,
        variant: { sku, name: 'the only one', product },
      },
    ]);
    const offered = await system.graphql(
      'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
      { input: { shopId: (await openShop(system, vendor, [])).shopId, sku, price: '1.00' } },
      vendor.token,
    );
    expect(offered.errors?.[0]?.extensions.fields).toEqual({ 'input.sku': expect.any(String) });
  });
});
