import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';
import { newId } from '../../shared/ids.js';

describe('the listing of an offer', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const listingsOf = (sku: string) =>
    catalogue.query(
      `select product_id as "productId", offer_id as "offerId", price_amount as price,
         currency_code as "currencyCode", active, in_stock as "inStock"
       from offer_listing where sku = $1`,
      [sku],
    );
  const offerOf = (sku: string) => ({
    offerId: newId(),
    shopId: newId(),
    sku,
    price: '12.30',
    currencyCode: 'EUR',
    active: true,
  });
  const offerEvent = (version: number, payload: object) => {
    return { topic: 'shop.offer.changed', version, payload } as const;
  };
  const stockEvent = (version: number, payload: object) => {
    return { topic: 'warehouse.stock.changed', version, payload } as const;
  };

  it('is created by the first event, of the offer or of its stock', async () => {
    const { id: productId, skus } = await catalogue.product({}, 2);
    for (const [at, sku] of skus.entries()) {
      const offer = offerOf(sku);
      const { shopId, offerId } = offer;
      const deliverOffer = () => catalogue.deliver('shop', offerEvent(1, offer));
      const deliverStock = () =>
        catalogue.deliver('warehouse', stockEvent(3, { shopId, sku, inStock: true }));
      const events = [deliverOffer, deliverStock];
      for (const deliver of at === 0 ? events : events.reverse()) await deliver();
      expect(await listingsOf(sku)).toEqual([
        { productId, offerId, price: '12.30', currencyCode: 'EUR', active: true, inStock: true },
      ]);
    }
  });

  it('ignores an older version of the offer or of the stock', async () => {
    const { sku } = await catalogue.product();
    const offer = offerOf(sku);
    const { shopId } = offer;
    const stock = (inStock: boolean) => ({ shopId, sku, inStock });
    const offers = [
      offerEvent(5, { ...offer, price: '5.00' }),
      offerEvent(4, { ...offer, price: '4.00', active: false }),
      offerEvent(5, { ...offer, price: '5.50' }),
    ];
    expect(await catalogue.deliver('shop', ...offers)).toBe(3);
    const stocks = [stockEvent(8, stock(false)), stockEvent(7, stock(true))];
    expect(await catalogue.deliver('warehouse', ...stocks)).toBe(2);
    expect(await listingsOf(sku)).toMatchObject([{ price: '5.00', active: true, inStock: false }]);
    await catalogue.deliver('shop', offerEvent(6, { ...offer, price: '6.00' }));
    await catalogue.deliver('warehouse', stockEvent(9, stock(true)));
    expect(await listingsOf(sku)).toMatchObject([{ price: '6.00', inStock: true }]);
  });

  it('processes an event once, however often it is delivered', async () => {
    const { sku } = await catalogue.product();
    const event = { ...offerEvent(1, offerOf(sku)), id: newId() };
    expect(await catalogue.deliver('shop', event, event)).toBe(2);
    expect(await catalogue.deliver('shop', event)).toBe(1);
    expect(await catalogue.query('select from inbox where id = $1', [event.id])).toHaveLength(1);
  });

  it('is of the newest offer after one was removed and created again', async () => {
    const { sku } = await catalogue.product();
    const former = offerOf(sku);
    const newest = { ...former, offerId: newId(), price: '1.00' };
    await catalogue.deliver('shop', offerEvent(9, former), offerEvent(1, newest));
    await catalogue.deliver('shop', offerEvent(10, { ...former, active: false }));
    expect(await listingsOf(sku)).toMatchObject([
      { offerId: newest.offerId, price: '1.00', active: true },
    ]);
  });

  it('ends with its variant, and a late event does not restore it', async () => {
    const { sku } = await catalogue.product();
    const offer = await catalogue.offer(sku);
    await catalogue.vendor('mutation ($sku: String!) { removeVariant(sku: $sku) }', { sku });
    expect(await listingsOf(sku)).toMatchObject([{ active: false }]);
    await catalogue.deliver('shop', offerEvent(2, { ...offer, price: '7.00' }));
    expect(await listingsOf(sku)).toMatchObject([{ price: '7.00', active: false }]);
  });

  it('ends even if its variant is removed while the event of the offer is processed', async () => {
    for (let round = 0; round < 10; round++) {
      const { id, sku } = await catalogue.product();
      await Promise.all([
        catalogue.vendor('mutation ($id: UUID!) { deleteProduct(id: $id) }', { id }),
        catalogue.offer(sku),
        catalogue.offer(sku),
      ]);
      expect(await listingsOf(sku)).toMatchObject([{ active: false }, { active: false }]);
    }
  });

  it('gets the newest version of each in a batch that changes many, several times', async () => {
    const products = await Promise.all([catalogue.product({}, 3), catalogue.product({}, 2)]);
    const offers = products.flatMap(({ skus }) => skus.map(offerOf));
    const priced = (version: number) =>
      offers.map((offer) => offerEvent(version, { ...offer, price: `${version}.00` }));
    await catalogue.deliver('shop', ...priced(3), ...priced(7), ...priced(5));
    const stocked = (version: number) =>
      offers.map(({ shopId, sku }) => {
        return stockEvent(version, { shopId, sku, inStock: version % 2 === 1 });
      });
    await catalogue.deliver('warehouse', ...stocked(2), ...stocked(9), ...stocked(4));
    const statements = catalogue.countStatements();
    await catalogue.deliver('warehouse', ...stocked(6), ...stocked(8), ...stocked(7));
    // Inbox with BEGIN, lock, upsert, summary, commit, for all 15.
    expect(statements()).toBe(5);
    for (const { sku } of offers) {
      expect(await listingsOf(sku)).toMatchObject([{ price: '7.00', inStock: true }]);
    }
    const summaries = await catalogue.query<{ lowest: string; highest: string }>(
      'select lowest_in_stock as lowest, highest from listed_price where product_id = any($1)',
      [products.map(({ id }) => id)],
    );
    expect(summaries).toEqual(products.map(() => ({ lowest: '7.00', highest: '7.00' })));
  });

  it('refuses an event of an unknown sku, and accepts the others of the batch', async () => {
    const { sku } = await catalogue.product();
    const unknown = { ...offerOf('NO-SUCH-SKU') };
    const events = [offerEvent(1, unknown), offerEvent(1, offerOf(sku))];
    expect(await catalogue.deliver('shop', ...events)).toBe(1);
    expect(await listingsOf(sku)).toHaveLength(1);
  });

  it('accepts offers from the shop subgraph only, and stock from the warehouse subgraph only', async () => {
    const { sku } = await catalogue.product();
    const offer = offerOf(sku);
    const stock = { shopId: offer.shopId, sku, inStock: true };
    expect(await catalogue.deliver('warehouse', offerEvent(1, offer))).toBe(0);
    expect(await catalogue.deliver('shop', stockEvent(1, stock))).toBe(0);
    expect(await listingsOf(sku)).toEqual([]);
    const query = 'mutation { deliverToProduct(events: []) { accepted } }';
    expect(await catalogue.askAs('router', query)).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('is summarized for its product when many of its offers change at once', async () => {
    const { id, sku } = await catalogue.product();
    const offers = Array.from({ length: 20 }, (_, n) => ({ price: `${n + 1}.00`, inStock: n > 4 }));
    await Promise.all(offers.map((each) => catalogue.offer(sku, each)));
    const summary = await catalogue.query(
      `select currency_code, lowest, highest, lowest_in_stock, highest_in_stock, lowest_sold_out,
         highest_sold_out from listed_price where product_id = $1`,
      [id],
    );
    const prices = ['1.00', '20.00', '6.00', '20.00', '1.00', '5.00'];
    expect(summary.map((row) => Object.values(row))).toEqual([['USD', ...prices]]);
    await catalogue.vendor('mutation ($id: UUID!) { deleteProduct(id: $id) }', { id });
    const left = await catalogue.query('select from listed_price where product_id = $1', [id]);
    expect(left).toEqual([]);
  });
});
