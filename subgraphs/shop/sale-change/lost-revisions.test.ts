import { openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';

describe('a sale whose last changes the database has lost, though the warehouse applied them', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.reset());
  afterAll(() => shop.close());

  /** A published sale of 10 units that is as it was before these allocations, as after a failover. */
  async function saleWithLost(...lost: readonly number[]) {
    const sale = await shop.published();
    const { saleId, shopId, offer, line } = sale;
    for (const allocation of lost) await shop.setOffers(saleId, [{ ...line, allocation }]);
    await shop.query(
      `with offers as (update sale_offer set allocation = 10 where sale_id = $1),
         shops as (update sale_shop set revision = revision - $2 where sale_id = $1)
       update sale_event set revision = revision - $2 where id = $1`,
      [saleId, lost.length],
    );
    const allocated = () => shop.warehouse.item(saleId, shopId, offer.sku)?.allocated;
    expect(allocated()).toBe(lost.at(-1));
    return { ...sale, allocated };
  }
  const stored = async (saleId: string) => {
    const [row] = await shop.query<{ allocation: number; step: string | null }>(
      `select allocation, step from sale_offer join sale_event on id = sale_id where id = $1`,
      [saleId],
    );
    return row;
  };

  it.each([
    ['one', [50]],
    ['several', [50, 30, 60]],
  ])('has the units of the next change set aside: %s', async (_, lost) => {
    const { saleId, line, allocated } = await saleWithLost(...lost);
    for (const allocation of [20, 15]) {
      expect((await shop.setOffers(saleId, [{ ...line, allocation }])).code).toBeUndefined();
      expect(await stored(saleId)).toEqual({ allocation, step: null });
      expect(allocated()).toBe(allocation);
    }
  });

  it('frees its units when it is cancelled', async () => {
    const { saleId, shopId, offer, allocated } = await saleWithLost(50);
    await shop.cancel(saleId);
    expect(allocated()).toBe(0);
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(100);
  });

  it('has the units that it had, where the next change is refused', async () => {
    const { saleId, line, allocated } = await saleWithLost(50);
    const refused = await shop.setOffers(saleId, [{ ...line, allocation: 500 }]);
    expect(refused.data.it.__typename).toBe('SaleNotAllocated');
    expect(await stored(saleId)).toEqual({ allocation: 10, step: null });
    expect(allocated()).toBe(10);
  });
});
