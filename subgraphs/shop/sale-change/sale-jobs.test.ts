import { openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';
import { oldestChangeSeconds } from './sale-jobs.js';

describe('the age of the oldest change of a sale', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.reset());
  afterAll(() => shop.close());

  const age = () => oldestChangeSeconds(shop.em());
  const tenMinutesAgo = (saleId: string) =>
    shop.query(`update sale_event set change_began_at = now() - interval '10 min' where id = $1`, [
      saleId,
    ]);

  it('is counted from its request, whatever its steps do and whoever renames the sale', async () => {
    const { saleId, shopId, offer, line } = await shop.published();
    expect(await age()).toBe(0);
    shop.warehouse.behave('fails');
    await shop.setOffers(saleId, [{ ...line, allocation: 50 }]);
    await tenMinutesAgo(saleId);
    expect((await shop.update({ id: saleId, name: 'Renamed' })).code).toBeUndefined();
    expect(await age()).toBeGreaterThanOrEqual(600);
    shop.warehouse.stock(shopId, offer.sku, 0);
    shop.warehouse.behave('answers');
    shop.warehouse.beforeAllocation(async ({ lines }) => {
      if (lines[0]?.units === 10) shop.warehouse.behave('fails');
    });
    await shop.runWorker();
    const steps = 'select step from sale_event where id = $1';
    expect(await shop.query(steps, [saleId])).toEqual([{ step: 'REVERT' }]);
    expect(await age()).toBeGreaterThanOrEqual(600);
    shop.warehouse.reset();
    await shop.runWorker();
    expect(await age()).toBe(0);
  });
});
