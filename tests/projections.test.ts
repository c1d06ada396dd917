import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('events between subgraphs, through the outbox', () => {
  let system: TestSystem;
  let vendor: Person;
  let customer: Person;
  beforeAll(async () => {
    system = await startSystem();
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
  });
  afterAll(async () => {
    await system.expectInvariants();
    await system.stop();
  });

  const must = async (query: string, variables: object = {}, person = vendor) => {
    const { data, errors } = await system.graphql(query, variables, person.token);
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
  /** Number of products that satisfy a filter. */
  const count = async (filter: object) => {
    const { products } = await must(
      `query ($filter: ProductFilter) { products(filter: $filter) { totalCount edges { node { id } } } }`,
      { filter },
    );
    return products.totalCount as number;
  };
  const becomes = (expected: number, filter: object) =>
    eventually(
      () => count(filter),
      (value) => value === expected,
    );

  it('a new shop gets one first warehouse', async () => {
    const { createShop } = await must(
      'mutation { createShop(input: { name: "New", slug: "a-new-shop" }) { id } }',
    );
    const warehouses = async () =>
      (
        await must(
          'query ($id: UUID!) { shop(id: $id) { warehouses { edges { node { name priority active } } } } }',
          {
            id: createShop.id,
          },
        )
      ).shop.warehouses.edges;
    await eventually(warehouses, (all) => all.length > 0);
    expect(await warehouses()).toEqual([{ node: { name: 'Main', priority: 0, active: true } }]);
  });

  it('the catalogue follows changes of price and stock', async () => {
    const { shopId, offerId, sku, warehouseIds } = await openShop(system, vendor, [2], '10.00');
    const inShop = (more: object) => ({ shopId, ...more });
    await becomes(1, inShop({ inStock: true, maxPrice: '10.00', currencyCode: 'USD' }));
    await must('mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }', {
      input: { shopId, sku, price: '30.00' },
    });
    await becomes(0, inShop({ maxPrice: '10.00', currencyCode: 'USD' }));
    await becomes(1, inShop({ minPrice: '30.00', currencyCode: 'USD' }));

    await checkout(system, customer, [{ offerId, quantity: 2 }]);
    await becomes(0, inShop({ inStock: true }));
    await must('mutation ($input: ReceiveStockInput!) { receiveStock(input: $input) { id } }', {
      input: { warehouseId: warehouseIds[0], sku, quantity: 1 },
    });
    await becomes(1, inShop({ inStock: true }));
    await must('mutation ($id: UUID!) { deactivateWarehouse(id: $id) { __typename } }', {
      id: warehouseIds[0],
    });
    await becomes(0, inShop({ inStock: true }));
    await must('mutation ($id: UUID!) { removeOffer(id: $id) }', { id: offerId });
    await becomes(0, inShop({}));
  });

  it('the offers of a deleted product end', async () => {
    const { offerId, sku, shopId } = await openShop(system, vendor, [5]);
    const { variant } = await must(
      'query ($sku: String!) { variant(sku: $sku) { product { id } } }',
      { sku },
    );
    await becomes(1, { shopId });
    await must('mutation ($id: UUID!) { deleteProduct(id: $id) }', { id: variant.product.id });
    expect(await count({ shopId })).toBe(0);
    await eventually(
      () => checkout(system, customer, [{ offerId, quantity: 1 }]),
      ({ data }) => data.checkout.__typename === 'OfferGone',
    );
    const { errors } = await system.graphql(
      'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
      { input: { shopId, sku, price: '1.00' } },
      vendor.token,
    );
    expect(errors?.[0]?.extensions.fields).toHaveProperty(['input.sku']);
  });

  it('a renamed product or variant is found in shops and ordered by its new name', async () => {
    const { offerId, sku, shopId } = await openShop(system, vendor, [5]);
    const { variant } = await must(
      'query ($sku: String!) { variant(sku: $sku) { product { id } } }',
      { sku },
    );
    const order = async () => {
      const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
      return data.checkout.order.id as string;
    };
    const nameIn = async (id: string) => {
      const query = 'query ($id: UUID!) { order(id: $id) { shopOrders { items { name } } } }';
      const found = await must(query, { id }, customer);
      return found.order.shopOrders[0].items[0].name as string;
    };
    const inShop = async (search: string) => {
      const query = `query ($id: UUID!, $search: String) {
        shop(id: $id) { offers(search: $search) { edges { node { id } } } } }`;
      return (await must(query, { id: shopId, search })).shop.offers.edges.length as number;
    };
    const isFound = (search: string, count: number) =>
      eventually(
        () => inShop(search),
        (value) => value === count,
      );
    const before = await order();
    const nameBefore = await nameIn(before);

    await must('mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { id } }', {
      input: { id: variant.product.id, name: 'Zephyr Kettle' },
    });
    await isFound('zephyr', 1);
    await must('mutation ($input: UpdateVariantInput!) { updateVariant(input: $input) { sku } }', {
      input: { sku, name: 'Vermilion' },
    });
    await isFound('zephyr vermilion', 1);
    expect(await inShop('only one')).toBe(0);
    expect(await nameIn(await order())).toBe('Zephyr Kettle, Vermilion');
    expect(await nameIn(before)).toBe(nameBefore);
    await must('mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }', {
      input: { shopId, sku, price: '12.00' },
    });
    expect(await inShop('zephyr vermilion')).toBe(1);
  });
});
