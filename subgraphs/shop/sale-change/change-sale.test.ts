import { minutes, openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';

describe('a published sale', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.reset());
  afterAll(() => shop.close());

  const lineOf = async (saleId: string) => {
    const [row] = await shop.query(
      `select price_amount as price, allocation, limit_per_customer as "limitPerCustomer"
       from sale_offer where sale_id = $1`,
      [saleId],
    );
    return row;
  };
  const allocatedIn = async ({ saleId, shopId, offer }: Published) =>
    shop.warehouse.item(saleId, shopId, offer.sku)?.allocated ?? 0;
  type Published = Awaited<ReturnType<SaleShop['published']>>;

  describe('that is scheduled', () => {
    it('changes its window, its terms and its offers', async () => {
      const sale = await shop.published();
      const [startsAt, endsAt] = [minutes(90), minutes(100)];
      const terms = {
        ...{ holdMinutes: 3, eligibility: 'PROVEN_PHONE', admission: 'QUEUED' },
        ...{ admissionMinutes: 7, admissionsPerMinute: 60 },
      };
      const { data } = await shop.update({ id: sale.saleId, startsAt, endsAt, ...terms });
      expect(data.it).toMatchObject({ startsAt, endsAt, state: 'SCHEDULED', isChanging: false });
      const query = `query ($id: UUID!) { sale(id: $id) {
        holdMinutes eligibility admission admissionMinutes admissionsPerMinute pausedMs } }`;
      expect((await shop.ask(null, query, { id: sale.saleId })).data.sale).toEqual({
        ...terms,
        pausedMs: 0,
      });
      expect(shop.warehouse.endOf(sale.saleId, sale.shopId)).toBe(endsAt);
      const line = { ...sale.line, price: '4.00', allocation: 20, limitPerCustomer: 2 };
      await shop.setOffers(sale.saleId, [line]);
      expect(await lineOf(sale.saleId)).toEqual({
        price: '4.00',
        allocation: 20,
        limitPerCustomer: 2,
      });
      expect(await allocatedIn(sale)).toBe(20);
      expect((await shop.eventOf(sale.offer.id))?.payload.sale).toEqual({
        id: sale.saleId,
        price: '4.00',
        startsAt,
        endsAt,
        paused: false,
      });
    });

    it('gets and loses offers, whose units are set aside and freed', async () => {
      const sale = await shop.published();
      const more = await shop.offer(sale.shopId);
      const line = { offerId: more.id, price: '5.00', allocation: 5 };
      const { data } = await shop.setOffers(sale.saleId, [line], { remove: [sale.offer.id] });
      expect(data.it.__typename).toBe('SaleEvent');
      expect(shop.warehouse.item(sale.saleId, sale.shopId, more.sku)?.allocated).toBe(5);
      expect(await allocatedIn(sale)).toBe(0);
      expect((await shop.eventOf(sale.offer.id))?.payload.sale).toBeNull();
      expect((await shop.eventOf(more.id))?.payload.sale).toMatchObject({ id: sale.saleId });
      await shop.must('vendor', 'mutation ($id: UUID!) { removeOffer(id: $id) }', {
        id: sale.offer.id,
      });
    });

    it('stays as it was, if the warehouse has too few units for a change', async () => {
      const sale = await shop.published();
      const more = await shop.offer(sale.shopId);
      const before = await shop.eventOf(sale.offer.id);
      const { data } = await shop.setOffers(sale.saleId, [
        { ...sale.line, price: '4.00', allocation: 500 },
        { offerId: more.id, price: '1.00', allocation: 5 },
      ]);
      expect(data.it).toMatchObject({
        __typename: 'SaleNotAllocated',
        lines: [{ units: 500, least: 0, most: 100 }],
      });
      expect(await lineOf(sale.saleId)).toMatchObject({ price: '5.00', allocation: 10 });
      expect(await allocatedIn(sale)).toBe(10);
      expect(await shop.eventOf(sale.offer.id)).toEqual(before);
      await shop.must('vendor', 'mutation ($id: UUID!) { removeOffer(id: $id) }', { id: more.id });
    });

    it('has a new offer to itself while the change waits, and frees it if it is refused', async () => {
      const sale = await shop.published();
      const more = await shop.offer(sale.shopId);
      shop.warehouse.behave('fails');
      await shop.setOffers(sale.saleId, [{ offerId: more.id, price: '5.00', allocation: 500 }]);
      const remove = () =>
        shop.ask('vendor', 'mutation ($id: UUID!) { removeOffer(id: $id) }', { id: more.id });
      expect((await remove()).code).toBe('CONFLICT');
      const setPrice = await shop.ask(
        'vendor',
        'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }',
        { input: { shopId: sale.shopId, sku: more.sku, price: '4.99' } },
      );
      expect(setPrice).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.price'] });
      expect((await shop.setOffers(sale.saleId, [], { remove: [more.id] })).data.it).toBeDefined();
      expect((await shop.update({ id: sale.saleId, endsAt: minutes(110) })).code).toBe('TRY_AGAIN');
      shop.warehouse.behave('answers');
      await shop.runWorker();
      expect((await remove()).data.removeOffer).toBe(true);
    });

    it('does not change after its start, if the change was made before', async () => {
      const sale = await shop.published();
      shop.warehouse.behave('loses');
      await shop.setOffers(sale.saleId, [{ ...sale.line, price: '1.00', allocation: 20 }]);
      await shop.moveWindow(sale.saleId, -1, 30);
      shop.warehouse.behave('answers');
      await shop.runWorker();
      expect(await lineOf(sale.saleId)).toMatchObject({ price: '5.00', allocation: 10 });
      expect(await allocatedIn(sale)).toBe(10);
      expect(await shop.stateOf(sale.saleId)).toBe('LIVE');
    });

    it('is fixed in the 10 minutes before its start', async () => {
      const sale = await shop.published();
      await shop.moveWindow(sale.saleId, 9.9, 60);
      const { saleId: id, line } = sale;
      for (const reply of [
        await shop.update({ id, endsAt: minutes(30) }),
        await shop.update({ id, holdMinutes: 3 }),
        await shop.setOffers(id, [{ ...line, allocation: 11 }]),
        await shop.setOffers(id, [], { remove: [line.offerId] }),
      ]) {
        expect(reply.code).toBe('CONFLICT');
      }
      expect((await shop.update({ id, name: 'Other' })).data.it.name).toBe('Other');
      expect(await allocatedIn(sale)).toBe(10);
      expect(shop.warehouse.calls).toHaveLength(1);
    });
  });

  it('holds unpaid orders as long as any others, once its minutes are taken back', async () => {
    const { saleId: id } = await shop.drafted({ sale: { holdMinutes: 3 } });
    const minutesOf = async () =>
      (await shop.query('select hold_minutes as it from sale_event where id = $1', [id]))[0];
    await shop.update({ id, name: 'Other' });
    expect(await minutesOf()).toEqual({ it: 3 });
    await shop.update({ id, holdMinutes: null });
    expect(await minutesOf()).toEqual({ it: null });
  });

  it('announces only offers whose price changes', async () => {
    const { saleId, line, offer, shopId } = await shop.published();
    const more = await shop.offer(shopId);
    await shop.setOffers(saleId, [{ offerId: more.id, price: '5.00', allocation: 1 }]);
    const [before, former] = [await shop.eventOf(offer.id), await shop.eventOf(more.id)];
    await shop.setOffers(saleId, [{ ...line, price: '4.00' }]);
    expect((await shop.eventOf(offer.id))?.version).toBeGreaterThan(before?.version ?? 0);
    expect(await shop.eventOf(more.id)).toEqual(former);
  });

  describe('that is live', () => {
    const live = async () => {
      const sale = await shop.published();
      await shop.moveWindow(sale.saleId, -10, 50);
      return sale;
    };

    it('ends earlier, never later', async () => {
      const { saleId: id, shopId, offer } = await live();
      expect((await shop.update({ id, endsAt: minutes(51) })).code).toBe('CONFLICT');
      const endsAt = minutes(20);
      expect((await shop.update({ id, endsAt })).data.it).toMatchObject({ endsAt, state: 'LIVE' });
      expect(shop.warehouse.endOf(id, shopId)).toBe(endsAt);
      expect((await shop.eventOf(offer.id))?.payload.sale).toMatchObject({ endsAt });
      const past = await shop.update({ id, endsAt: minutes(-1) });
      expect(past).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['input.endsAt'] });
    });

    it('ends 10 s from now at the soonest, in the shop as at the warehouse', async () => {
      const { saleId: id, shopId } = await live();
      const before = Date.now();
      const { data } = await shop.update({ id, endsAt: minutes(1 / 60) });
      expect(Date.parse(data.it.endsAt)).toBeGreaterThanOrEqual(before + 10_000);
      expect(Date.parse(data.it.endsAt)).toBeLessThan(before + 60_000);
      expect(shop.warehouse.endOf(id, shopId)).toBe(data.it.endsAt);
    });

    it('announces no offer of which only the allocation changes', async () => {
      const { saleId, line, offer } = await live();
      const before = await shop.eventOf(offer.id);
      await shop.setOffers(saleId, [{ ...line, allocation: 12 }]);
      expect(await lineOf(saleId)).toMatchObject({ allocation: 12 });
      expect(await shop.eventOf(offer.id)).toEqual(before);
    });

    it('ends earlier with its allocation, if some of the units that are set aside are gone', async () => {
      const sale = await live();
      shop.warehouse.stock(sale.shopId, sale.offer.sku, -4);
      const endsAt = minutes(20);
      const { data } = await shop.update({ id: sale.saleId, endsAt });
      expect(data.it).toMatchObject({ endsAt, isChanging: false });
      expect(await lineOf(sale.saleId)).toMatchObject({ allocation: 10 });
      expect(await allocatedIn(sale)).toBe(10);
    });

    it('ends earlier with the units that are left, if the warehouse was restored with fewer', async () => {
      const sale = await live();
      const item = shop.warehouse.item(sale.saleId, sale.shopId, sale.offer.sku);
      Object.assign(item ?? {}, { allocated: 6 });
      shop.warehouse.stock(sale.shopId, sale.offer.sku, 0);
      const endsAt = minutes(20);
      const { data } = await shop.update({ id: sale.saleId, endsAt });
      expect(data.it).toMatchObject({ endsAt, isChanging: false });
      expect(await lineOf(sale.saleId)).toMatchObject({ allocation: 6 });
      expect(await allocatedIn(sale)).toBe(6);
    });

    it('sets more units aside, or fewer, down to those that are held and sold', async () => {
      const sale = await live();
      const allocate = async (allocation: number) =>
        (await shop.setOffers(sale.saleId, [{ ...sale.line, allocation }])).data.it;
      expect(await allocate(30)).toMatchObject({ __typename: 'SaleEvent' });
      expect(await allocatedIn(sale)).toBe(30);
      Object.assign(shop.warehouse.item(sale.saleId, sale.shopId, sale.offer.sku) ?? {}, {
        held: 3,
        sold: 4,
      });
      expect(await allocate(6)).toMatchObject({
        __typename: 'SaleNotAllocated',
        lines: [{ units: 6, least: 7 }],
      });
      expect(await allocate(7)).toMatchObject({ __typename: 'SaleEvent' });
      expect(await lineOf(sale.saleId)).toMatchObject({ allocation: 7 });
    });

    it.each([
      ['a price', { price: '4.00' }],
      ['a limit', { limitPerCustomer: 1 }],
      ['what follows when it is sold out', { whenSoldOut: 'SOLD_OUT' }],
    ])('never changes %s', async (_, terms) => {
      const { saleId, line } = await live();
      expect((await shop.setOffers(saleId, [{ ...line, ...terms }])).code).toBe('CONFLICT');
      expect(await lineOf(saleId)).toMatchObject({ price: '5.00', limitPerCustomer: null });
    });

    it('never gets or loses an offer, nor changes its start or who may buy', async () => {
      const { saleId: id, shopId, line } = await live();
      const more = await shop.offer(shopId);
      for (const reply of [
        await shop.setOffers(id, [{ ...line, offerId: more.id }]),
        await shop.setOffers(id, [], { remove: [line.offerId] }),
        await shop.update({ id, startsAt: minutes(5) }),
        await shop.update({ id, eligibility: 'PROVEN_PHONE' }),
        await shop.update({ id, holdMinutes: 5 }),
      ]) {
        expect(reply.code).toBe('CONFLICT');
      }
      expect(shop.warehouse.calls).toHaveLength(1);
    });
  });

  it('is paused without a price, and resumed with the same window', async () => {
    const { saleId, offer } = await shop.published();
    const before = (await shop.eventOf(offer.id))?.payload.sale;
    expect((await shop.pause(saleId)).data.it.state).toBe('PAUSED');
    expect((await shop.eventOf(offer.id))?.payload.sale).toMatchObject({ paused: true });
    await shop.pause(saleId);
    expect((await shop.eventOf(offer.id))?.version).toBe(3);
    expect((await shop.resume(saleId)).data.it.state).toBe('SCHEDULED');
    expect((await shop.eventOf(offer.id))?.payload.sale).toEqual(before);
    expect(shop.warehouse.calls).toHaveLength(1);
    await shop.pause(saleId);
    await shop.moveWindow(saleId, -60, -1);
    expect(await shop.stateOf(saleId)).toBe('ENDED');
    expect((await shop.resume(saleId)).code).toBe('CONFLICT');
  });

  it('is cancelled at once, and frees its units, also if the warehouse answers later', async () => {
    const sale = await shop.published();
    shop.warehouse.behave('fails');
    expect((await shop.cancel(sale.saleId)).data.it.state).toBe('CANCELLED');
    expect((await shop.eventOf(sale.offer.id))?.payload.sale).toBeNull();
    expect(await allocatedIn(sale)).toBe(10);
    shop.warehouse.behave('answers');
    await shop.runWorker();
    expect(await allocatedIn(sale)).toBe(0);
    expect(shop.warehouse.freeOf(sale.shopId, sale.offer.sku)).toBe(100);
    await shop.cancel(sale.saleId);
    expect((await shop.publish(sale.saleId)).code).toBe('CONFLICT');
    expect((await shop.resume(sale.saleId)).code).toBe('CONFLICT');
    expect((await shop.setOffers(sale.saleId, [{ ...sale.line, price: '1' }])).code).toBe(
      'CONFLICT',
    );
  });

  it('is not published after it was cancelled while its units were being set aside', async () => {
    const sale = await shop.published();
    const offer = await shop.offer(sale.shopId);
    const saleId = await shop.sale(sale.shopId);
    await shop.setOffers(saleId, [{ offerId: offer.id, price: '5.00', allocation: 10 }]);
    shop.warehouse.beforeAllocation(async () => {
      shop.warehouse.beforeAllocation(async () => {});
      await shop.cancel(saleId);
    });
    await shop.publish(saleId);
    expect(await shop.stateOf(saleId)).toBe('CANCELLED');
    expect(shop.warehouse.freeOf(sale.shopId, offer.sku)).toBe(100);
    expect((await shop.eventOf(offer.id))?.payload.sale).toBeNull();
  });

  it('frees its units, if it was cancelled before those of its publication were set aside', async () => {
    const { shopId } = await shop.published();
    const offer = await shop.offer(shopId);
    const saleId = await shop.sale(shopId);
    await shop.setOffers(saleId, [{ offerId: offer.id, price: '5.00', allocation: 10 }]);
    shop.warehouse.beforeAllocation(async () => {
      shop.warehouse.beforeAllocation(async () => {});
      shop.warehouse.behave('fails');
      await shop.cancel(saleId);
      shop.warehouse.behave('answers');
    });
    await shop.publish(saleId);
    await shop.runWorker();
    expect(await shop.stateOf(saleId)).toBe('CANCELLED');
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(100);
  });

  it('keeps its offers from being removed, deactivated or sold for less', async () => {
    const { saleId, shopId, offer } = await shop.published();
    const remove = () =>
      shop.ask('vendor', 'mutation ($id: UUID!) { removeOffer(id: $id) }', { id: offer.id });
    const set = (input: object) =>
      shop.ask('vendor', 'mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }', {
        input: { shopId, sku: offer.sku, price: '10.00', ...input },
      });
    const before = await shop.eventOf(offer.id);
    expect((await remove()).code).toBe('CONFLICT');
    expect((await set({ active: false })).code).toBe('CONFLICT');
    expect((await set({ price: '4.99' })).code).toBe('BAD_USER_INPUT');
    expect(await shop.eventOf(offer.id)).toEqual(before);
    expect((await set({ price: '5.00' })).code).toBeUndefined();
    expect((await shop.eventOf(offer.id))?.payload).toMatchObject({
      price: '5.00',
      sale: { id: saleId },
    });
    await shop.moveWindow(saleId, -60, -1);
    expect((await set({ price: '1.00' })).code).toBeUndefined();
    expect((await shop.eventOf(offer.id))?.payload.sale).toBeNull();
    expect((await remove()).data.removeOffer).toBe(true);
  });
});
