import { minutes, openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';

describe('the publication of a sale', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.reset());
  afterAll(() => shop.close());

  it('sets its units aside, and then announces the price with its window', async () => {
    const { offer, saleId, shopId } = await shop.drafted();
    const { data } = await shop.publish(saleId);
    expect(data.it).toMatchObject({ state: 'SCHEDULED', isChanging: false });
    expect(shop.warehouse.item(saleId, shopId, offer.sku)).toMatchObject({ allocated: 10 });
    expect(shop.warehouse.endOf(saleId, shopId)).toBe(data.it.endsAt);
    expect(await shop.eventOf(offer.id)).toMatchObject({
      version: 2,
      payload: {
        price: '10.00',
        sale: {
          id: saleId,
          price: '5.00',
          startsAt: data.it.startsAt,
          endsAt: data.it.endsAt,
          paused: false,
        },
      },
    });
  });

  it('is refused with what is available, and leaves a draft whose offers are free', async () => {
    const { offer, saleId, shopId, line } = await shop.drafted();
    shop.warehouse.stock(shopId, offer.sku, 7);
    const { data } = await shop.publish(saleId);
    expect(data.it).toMatchObject({
      __typename: 'SaleNotAllocated',
      lines: [{ units: 10, least: 0, most: 7, otherSaleId: null, offer: { id: offer.id } }],
    });
    expect(await shop.stateOf(saleId)).toBe('DRAFT');
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(7);
    expect((await shop.eventOf(offer.id))?.version).toBe(1);
    await shop.must('vendor', 'mutation ($id: UUID!) { removeOffer(id: $id) }', { id: offer.id });
    await shop.query('update offer set removed_at = null, active = true where id = $1', [offer.id]);
    await shop.setOffers(saleId, [{ ...line, allocation: 7 }]);
    expect((await shop.publish(saleId)).data.it.state).toBe('SCHEDULED');
  });

  it('gives back what other shops had set aside, if one has too few units', async () => {
    const [first, second] = [await shop.shop('vendor'), await shop.shop('otherVendor')];
    const offers = [await shop.offer(first), await shop.offer(second)];
    const saleId = await shop.sale(null);
    const lines = offers.map(({ id }) => ({ offerId: id, price: '5.00', allocation: 10 }));
    await shop.setOffers(saleId, lines, {}, 'admin');
    // The shops are requested in the order of their ids.
    const [id, sku] = first > second ? [first, offers[0]?.sku] : [second, offers[1]?.sku];
    shop.warehouse.stock(id, sku as string, 3);
    const { data } = await shop.publish(saleId, 'admin');
    expect(data.it.__typename).toBe('SaleNotAllocated');
    for (const { shopId, sku } of offers) {
      expect(shop.warehouse.item(saleId, shopId, sku)?.allocated ?? 0).toBe(0);
    }
    expect(await shop.stateOf(saleId)).toBe('DRAFT');
  });

  it('is completed by a worker, if the warehouse does not answer', async () => {
    const { saleId, offer, shopId } = await shop.drafted();
    shop.warehouse.behave('fails');
    expect((await shop.publish(saleId)).data.it).toMatchObject({
      state: 'PUBLISHING',
      isChanging: true,
    });
    expect((await shop.eventOf(offer.id))?.version).toBe(1);
    await shop.runWorker();
    expect(await shop.stateOf(saleId)).toBe('PUBLISHING');
    shop.warehouse.behave('answers');
    await shop.runWorker();
    expect(await shop.stateOf(saleId)).toBe('SCHEDULED');
    expect(shop.warehouse.item(saleId, shopId, offer.sku)?.allocated).toBe(10);
  });

  it('sets units aside once, if an answer of the warehouse is lost', async () => {
    const { saleId, offer, shopId } = await shop.drafted();
    shop.warehouse.behave('loses');
    await shop.publish(saleId);
    shop.warehouse.behave('answers');
    await shop.runWorker();
    expect(await shop.stateOf(saleId)).toBe('SCHEDULED');
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(90);
    const revisions = shop.warehouse.calls.map(({ revision }) => revision);
    expect(new Set(revisions).size).toBe(1);
  });

  it('repeated or run by several processes at once, publishes once', async () => {
    const { saleId, offer } = await shop.drafted();
    const replies = await Promise.all(Array.from({ length: 8 }, () => shop.publish(saleId)));
    for (const { data } of replies) expect(data.it.__typename).toBe('SaleEvent');
    await shop.publish(saleId);
    expect(await shop.stateOf(saleId)).toBe('SCHEDULED');
    expect((await shop.eventOf(offer.id))?.version).toBe(2);
  });

  it('that ends after the end of the sale leaves a draft, and gives the units back', async () => {
    const { saleId, offer, shopId } = await shop.drafted();
    shop.warehouse.behave('loses');
    await shop.publish(saleId);
    await shop.moveWindow(saleId, -60, -30);
    shop.warehouse.behave('answers');
    await shop.runWorker();
    expect(await shop.stateOf(saleId)).toBe('DRAFT');
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(100);
  });

  it('of two sales with the same offer at once, one is refused', async () => {
    const { saleId, shopId, line } = await shop.drafted();
    const other = await shop.sale(shopId);
    await shop.setOffers(other, [line]);
    const replies = await Promise.all([shop.publish(saleId), shop.publish(other)]);
    expect(replies.map(({ code }) => code).filter(Boolean)).toEqual(['CONFLICT']);
    const states = [await shop.stateOf(saleId), await shop.stateOf(other)];
    expect(states.toSorted()).toEqual(['DRAFT', 'SCHEDULED']);
  });

  it('of an offer whose former sale has ended is possible', async () => {
    const { saleId, shopId, line } = await shop.drafted();
    await shop.publish(saleId);
    await shop.moveWindow(saleId, -60, -30);
    const other = await shop.sale(shopId);
    await shop.setOffers(other, [line]);
    // The fake of the warehouse does not know the time.
    await shop.warehouse.answer('allocateSale', {
      allocation: { saleId, shopId, revision: 99, endsAt: minutes(-30), lines: [] },
    });
    expect((await shop.publish(other)).data.it.state).toBe('SCHEDULED');
  });

  it.each([
    ['without offers', {}, [], 'CONFLICT'],
    ['that is over', { startsAt: -60, endsAt: -30 }, null, 'BAD_USER_INPUT'],
  ])('of a sale %s is refused', async (_, window, offers, code) => {
    const { shopId, offer, line } = await shop.drafted();
    const saleId = await shop.sale(shopId);
    if (!offers) await shop.setOffers(saleId, [line]);
    if ('startsAt' in window) await shop.moveWindow(saleId, window.startsAt, window.endsAt);
    expect((await shop.publish(saleId)).code).toBe(code);
    expect(await shop.stateOf(saleId)).toMatch(/DRAFT/);
    expect(shop.warehouse.calls).toEqual([]);
    expect((await shop.eventOf(offer.id))?.version).toBe(1);
  });

  it.each([
    ['inactive', 'active = false'],
    ['cheaper than in the sale', 'price_amount = 4.99'],
  ])('of an offer that is %s by now is refused', async (_, set) => {
    const { saleId, offer } = await shop.drafted();
    await shop.query(`update offer set ${set} where id = $1`, [offer.id]);
    expect((await shop.publish(saleId)).code).toBe('CONFLICT');
    expect(await shop.stateOf(saleId)).toBe('DRAFT');
    expect(shop.warehouse.calls).toEqual([]);
  });
});
