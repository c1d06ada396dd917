import { type List, nodesOf } from './harness/connections.js';
import { buy, placeOrder, shopOrderOf } from './harness/orders.js';
import { openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';

interface Page extends List<{ readonly id: string }> {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

describe('the orders of a shop', () => {
  let system: TestSystem;
  let vendor: Person;
  let shopId: string;
  /** oldest first */
  const all: string[] = [];
  const confirmed: string[] = [];
  beforeAll(async () => {
    system = await startSystem();
    vendor = await registerPerson(system, 'VENDOR');
    const [first, second] = [await registerPerson(system), await registerPerson(system)];
    const shop = await openShop(system, vendor, [100]);
    shopId = shop.shopId;
    for (let n = 0; n < 7; n++) {
      const customer = n % 3 === 0 ? first : second;
      const isPaid = n % 2 === 0;
      const orderId = await (isPaid ? buy : placeOrder)(system, customer, 1, shop);
      const id = await shopOrderOf(system, customer, orderId);
      all.push(id);
      if (isPaid) confirmed.push(id);
    }
    const shipped = confirmed.shift();
    await actAs(system, vendor).mutate(
      'shipShopOrder',
      'ShipShopOrderInput',
      { id: shipped },
      '__typename',
    );
  });
  afterAll(() => system.stop());

  const query = `query ($shop: UUID!, $first: Int, $after: String, $status: OrderStatus, $sort: ShopOrderSort) {
    shop(id: $shop) { orders(first: $first, after: $after, status: $status, sort: $sort) {
      edges { cursor node { id } } pageInfo { hasNextPage endCursor } } } }`;
  async function page(args: object): Promise<Page> {
    return (await actAs(system, vendor).must(query, { shop: shopId, first: 2, ...args })).orders;
  }
  const idsOf = (found: Page) => nodesOf(found).map(({ id }) => id);

  /** The ids of all pages of two. */
  async function read(args: object): Promise<string[]> {
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const found = await page({ ...args, after });
      ids.push(...idsOf(found));
      if (!found.pageInfo.hasNextPage) return ids;
      after = found.pageInfo.endCursor;
    }
  }

  it('are listed newest first by default', async () => {
    const byDefault = `query ($shop: UUID!) { shop(id: $shop) { orders { edges { node { id } } } } }`;
    const { orders } = await actAs(system, vendor).must(byDefault, { shop: shopId });
    expect(idsOf(orders)).toEqual(all.toReversed());
    expect(await read({ sort: 'NEWEST_FIRST' })).toEqual(all.toReversed());
  });

  it('are listed oldest first on request', async () => {
    expect(await read({ sort: 'OLDEST_FIRST' })).toEqual(all);
  });

  it('with a status have the same orders', async () => {
    const status = 'CONFIRMED';
    expect(await read({ status, sort: 'OLDEST_FIRST' })).toEqual(confirmed);
    expect(await read({ status, sort: 'NEWEST_FIRST' })).toEqual(confirmed.toReversed());
  });

  it('continue in the other order from the entry of a cursor', async () => {
    const { edges } = await page({ sort: 'OLDEST_FIRST', first: 4 });
    const { cursor: after } = edges.at(-1) as unknown as { cursor: string };
    expect(idsOf(await page({ sort: 'OLDEST_FIRST', after }))).toEqual(all.slice(4, 6));
    expect(idsOf(await page({ sort: 'NEWEST_FIRST', after }))).toEqual([all[2], all[1]]);
  });

  it('in both orders are in one answer', async () => {
    const both = `query ($shop: UUID!) { shop(id: $shop) {
      oldest: orders(first: 1, sort: OLDEST_FIRST) { edges { node { id } } }
      newest: orders(first: 1) { edges { node { id } } } } }`;
    const { oldest, newest } = await actAs(system, vendor).must(both, { shop: shopId });
    expect([idsOf(oldest), idsOf(newest)]).toEqual([[all[0]], [all.at(-1)]]);
  });
});
