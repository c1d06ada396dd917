import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';
import { newId } from '../../shared/ids.js';
import { applyBoundaries } from './sale-window.js';

const seconds = (count: number) => new Date(Date.now() + count * 1000).toISOString();

describe('the listing of an offer that is in a sale', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const apply = () => applyBoundaries(catalogue.em());
  const windowOf = (startsIn: number, endsIn: number, more: object = {}) => ({
    ...{ id: newId(), price: '6.00', startsAt: seconds(startsIn), endsAt: seconds(endsIn) },
    ...more,
  });
  const listed = async (offerId: string) =>
    (
      await catalogue.query(
        `select price_amount as price, regular_amount as regular, sale_id as "saleId",
           (select lowest_in_stock from listed_price l where l.product_id = o.product_id) as lowest
         from offer_listing o where offer_id = $1`,
        [offerId],
      )
    )[0];
  /** An offer for 10.00, the only one of its product. */
  const offerIn = async (sale: object | null) => {
    const { sku, id: productId } = await catalogue.product();
    const offer = await catalogue.offer(sku, { sale: sale as never });
    return { ...offer, productId };
  };
  /** Moves its window, as if time had passed. */
  const move = (offerId: string, startsIn: number, endsIn: number) =>
    catalogue.query(
      `update offer_listing set sale_starts_at = $2::timestamptz, sale_ends_at = $3::timestamptz,
         sale_due_at = case when sale_due_at = sale_starts_at then $2::timestamptz else $3::timestamptz end
       where offer_id = $1`,
      [offerId, seconds(startsIn), seconds(endsIn)],
    );

  it('has the regular price before the start, that of the sale in it, and the regular one after the end', async () => {
    const sale = windowOf(60, 120);
    const { offerId } = await offerIn(sale);
    await apply();
    expect(await listed(offerId)).toEqual({
      ...{ price: '10.00', regular: '10.00', saleId: sale.id, lowest: '10.00' },
    });
    await move(offerId, -1, 60);
    await apply();
    expect(await listed(offerId)).toMatchObject({
      price: '6.00',
      regular: '10.00',
      lowest: '6.00',
    });
    await move(offerId, -60, -1);
    await apply();
    expect(await listed(offerId)).toEqual({
      ...{ price: '10.00', regular: null, saleId: null, lowest: '10.00' },
    });
    expect(await apply()).toBe(0);
  });

  it('has the price of the moment at which its event arrives', async () => {
    const live = await offerIn(windowOf(-60, 60));
    expect(await listed(live.offerId)).toMatchObject({ price: '6.00', lowest: '6.00' });
    const over = await offerIn(windowOf(-60, -1));
    expect(await listed(over.offerId)).toMatchObject({ price: '10.00', saleId: null });
    const paused = await offerIn(windowOf(-60, 60, { paused: true }));
    expect(await listed(paused.offerId)).toMatchObject({ price: '10.00', lowest: '10.00' });
  });

  it('misses a boundary that a later event has moved, and has its regular price when the sale is cancelled', async () => {
    const offer = await offerIn(windowOf(60, 120));
    const change = (version: number, sale: object | null) => {
      const payload = { ...offer, sale };
      return catalogue.deliver('shop', { topic: 'shop.offer.changed', version, payload });
    };
    await change(2, windowOf(-5, 60, { price: '7.00' }));
    expect(await listed(offer.offerId)).toMatchObject({ price: '7.00' });
    await change(3, null);
    expect(await listed(offer.offerId)).toMatchObject({ price: '10.00', saleId: null });
    await apply();
    expect(await listed(offer.offerId)).toMatchObject({ price: '10.00' });
  });

  it('changes together with all offers of its sale, once, however many processes look', async () => {
    const sale = windowOf(60, 120);
    const offers = [];
    for (let n = 0; n < 5; n++) offers.push(await offerIn(sale));
    for (const { offerId } of offers) await move(offerId, -1, 60);
    const before = await catalogue.query<{ xmin: string }>(
      'select xmin::text from offer_listing where sale_id = $1',
      [sale.id],
    );
    await Promise.all([apply(), apply(), apply(), apply()]);
    const after = await catalogue.query<{ xmin: string; price: string }>(
      'select xmin::text, price_amount as price from offer_listing where sale_id = $1',
      [sale.id],
    );
    expect(new Set(before.map(({ xmin }) => xmin)).size).toBe(5);
    expect(new Set(after.map(({ xmin }) => xmin)).size).toBe(1);
    expect(after.map(({ price }) => price)).toEqual(Array(5).fill('6.00'));
  });

  it('is sorted and filtered by the price of the sale', async () => {
    const categoryId = await catalogue.category();
    const [inSale, cheaper] = [
      await catalogue.product({ categoryId }),
      await catalogue.product({ categoryId }),
    ];
    await catalogue.offer(inSale.sku, { sale: windowOf(-60, 60) });
    await catalogue.offer(cheaper.sku, { price: '8.00' });
    const list = async (filter: object) => {
      const { data } = await catalogue.ask(
        `query ($filter: ProductFilter) { products(filter: $filter, sort: PRICE_ASC) {
           totalCount edges { node { id } } } }`,
        { filter: { categoryId, currencyCode: 'USD', ...filter } },
      );
      return data.products.edges.map(({ node }: { node: { id: string } }) => node.id);
    };
    expect(await list({})).toEqual([inSale.id, cheaper.id]);
    expect(await list({ maxPrice: '6.00' })).toEqual([inSale.id]);
    expect(await list({ minPrice: '7.00' })).toEqual([cheaper.id]);
  });

  it('is in stock while units of its sale can be bought, and else by those that are not set aside', async () => {
    const { sku, ...offer } = await offerIn(windowOf(60, 120));
    const isInStock = async () => {
      const [row] = await catalogue.query<{ inStock: boolean; lowest: string | null }>(
        `select in_stock as "inStock", (select lowest_in_stock from listed_price l
           where l.product_id = o.product_id) as lowest
         from offer_listing o where offer_id = $1`,
        [offer.offerId],
      );
      expect(row?.lowest !== null).toBe(row?.inStock);
      return row?.inStock;
    };
    let version = 10;
    const stock = (inStock: boolean, saleInStock: boolean) => {
      const payload = { shopId: offer.shopId, sku, inStock, saleInStock };
      version += 1;
      return catalogue.deliver('warehouse', { topic: 'warehouse.stock.changed', version, payload });
    };
    const change = (sale: object) => {
      version += 1;
      const payload = { ...offer, sku, sale };
      return catalogue.deliver('shop', { topic: 'shop.offer.changed', version, payload });
    };
    await stock(false, true);
    expect(await isInStock()).toBe(false);
    await move(offer.offerId, -1, 60);
    await apply();
    expect(await isInStock()).toBe(true);
    await stock(false, false);
    expect(await isInStock()).toBe(false);
    await stock(false, true);
    expect(await isInStock()).toBe(true);
    await change(windowOf(-5, 60, { paused: true }));
    expect(await isInStock()).toBe(false);
    await change(windowOf(-5, 60));
    expect(await isInStock()).toBe(true);
    await move(offer.offerId, -60, -1);
    await apply();
    expect(await isInStock()).toBe(false);
    await stock(true, false);
    expect(await isInStock()).toBe(true);
  });

  it('keeps its variant and product from being removed, also while the sale is paused', async () => {
    const offer = await offerIn(windowOf(60, 120));
    const remove = () =>
      catalogue.vendor('mutation ($sku: String!) { removeVariant(sku: $sku) }', { sku: offer.sku });
    const deleted = () =>
      catalogue.vendor('mutation ($id: UUID!) { deleteProduct(id: $id) }', { id: offer.productId });
    const outbox = () =>
      catalogue.query(`select from outbox where topic = 'product.variant.removed' and key = $1`, [
        offer.sku,
      ]);
    expect((await remove()).code).toBe('CONFLICT');
    expect((await deleted()).code).toBe('CONFLICT');
    const payload = { ...offer, sale: windowOf(60, 120, { paused: true }) };
    await catalogue.deliver('shop', { topic: 'shop.offer.changed', version: 2, payload });
    expect((await remove()).code).toBe('CONFLICT');
    expect(await outbox()).toEqual([]);
    await move(offer.offerId, -60, -1);
    expect((await deleted()).code).toBeUndefined();
    expect(await outbox()).toHaveLength(1);
  });
});
