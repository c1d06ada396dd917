import { type LiveClient, liveClients } from './harness/live.js';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const watchStock = `subscription Watch($skus: [String!]) {
  stock: stockChanged(skus: $skus) {
    left: available version
    thing: variant { code: sku name product { title: name category { name } } }
    ...Seller
  }
}
fragment Seller on StockChange { shop { name owner { name } } }`;

describe('federated subscriptions', () => {
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

  it.each(Object.keys(liveClients))(
    'select fields of four subgraphs, by fragments and aliases, with %s',
    async (name) => {
      const client = liveClients[name]?.(system.url) as LiveClient;
      const { sku, offerId } = await openShop(system, vendor, [10]);
      const watch = client.subscribe(watchStock, { skus: [sku] });
      await eventually(async () => watch.seen.length, Boolean);
      await checkout(system, customer, [{ offerId, quantity: 4 }]);
      await eventually(
        async () => watch.seen.at(-1)?.data?.stock.left,
        (left) => left === 6,
      );
      expect(watch.seen[0]?.data?.stock).toMatchObject({
        left: 10,
        thing: {
          code: sku,
          name: 'the only one',
          product: {
            title: expect.stringMatching(/^Product /),
            category: { name: expect.any(String) },
          },
        },
        shop: { name: expect.stringMatching(/^Shop /), owner: { name: 'Somebody' } },
      });
      expect(watch.seen.every(({ errors }) => errors === undefined)).toBe(true);
      expect(watch.seen[0]?.data?.stock.variant).toBeUndefined();
      expect(JSON.stringify(watch.seen)).not.toContain('holdfastKey');
      watch.stop();
      client.close();
    },
  );
});
