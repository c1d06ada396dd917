import { minutes, openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';
import type { SaleAllocation } from '../../contracts/warehouse.js';
import { transact } from '../../shared/database/transact.js';
import type { OutboxEvent } from '../../shared/messaging/inbox.js';
import { onVariantRemoved } from '../offer/on-variant-removed.js';

describe('a change of a sale that is completed later than it was requested', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.reset());
  afterAll(() => shop.close());

  const removeVariant = (sku: string) =>
    transact(shop.em(), (tx) => onVariantRemoved(tx, {} as OutboxEvent, { sku }));
  /** Runs once, while the warehouse has the next request and has not answered. */
  const meanwhile = (act: (allocation: SaleAllocation) => Promise<unknown>) =>
    shop.warehouse.beforeAllocation(async (allocation) => {
      shop.warehouse.beforeAllocation(async () => {});
      await act(allocation);
    });
  const saleOf = async (id: string) => {
    const [row] = await shop.query<{ endsAt: Date; now: Date; holdMinutes: number | null }>(
      `select ends_at as "endsAt", hold_minutes as "holdMinutes", clock_timestamp() as now
       from sale_event where id = $1`,
      [id],
    );
    if (!row) throw new Error('no sale');
    return { ...row, endsAt: new Date(row.endsAt), now: new Date(row.now) };
  };
  const linesOf = async (saleId: string) => {
    const rows = await shop.query<{ id: string }>(
      'select offer_id as id from sale_offer where sale_id = $1 order by offer_id',
      [saleId],
    );
    return rows.map(({ id }) => id);
  };

  it('leaves a draft, if the variant of an offer was removed while units were set aside', async () => {
    const { saleId, shopId, offer } = await shop.drafted();
    meanwhile(() => removeVariant(offer.sku));
    expect((await shop.publish(saleId)).code).toBe('CONFLICT');
    expect(await shop.stateOf(saleId)).toBe('DRAFT');
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(100);
    expect((await shop.publish(saleId)).code).toBe('CONFLICT');
  });

  it('adds no offer whose variant was removed meanwhile', async () => {
    const { saleId, shopId, offer } = await shop.published();
    const more = await shop.offer(shopId);
    meanwhile(() => removeVariant(more.sku));
    const added = await shop.setOffers(saleId, [
      { offerId: more.id, price: '5.00', allocation: 5 },
    ]);
    expect(added.code).toBe('CONFLICT');
    expect(await linesOf(saleId)).toEqual([offer.id]);
    expect(shop.warehouse.freeOf(shopId, more.sku)).toBe(100);
  });

  it('is valid for other offers, if the variant of an unchanged one is gone', async () => {
    const { saleId, shopId, offer } = await shop.published();
    await removeVariant(offer.sku);
    const more = await shop.offer(shopId);
    const line = { offerId: more.id, price: '5.00', allocation: 5 };
    expect((await shop.setOffers(saleId, [line])).data.it.__typename).toBe('SaleEvent');
    expect((await linesOf(saleId)).toSorted()).toEqual([offer.id, more.id].toSorted());
  });

  it('is dropped in the 10 minutes before the start, and answered with CONFLICT', async () => {
    const { saleId, shopId, offer, line } = await shop.published();
    meanwhile(() => shop.moveWindow(saleId, 9.9, 60));
    expect((await shop.setOffers(saleId, [{ ...line, allocation: 20 }])).code).toBe('CONFLICT');
    expect(shop.warehouse.item(saleId, shopId, offer.sku)?.allocated).toBe(10);
    expect(await shop.stateOf(saleId)).toBe('SCHEDULED');
    const [row] = await shop.query('select allocation from sale_offer where sale_id = $1', [
      saleId,
    ]);
    expect(row).toEqual({ allocation: 10 });
  });

  it('does not start a sale in the past', async () => {
    const { saleId: id } = await shop.published();
    meanwhile(() =>
      shop.query(
        `update sale_event set pending = jsonb_set(pending, '{startsAt}', to_jsonb($2::text))
         where id = $1`,
        [id, minutes(-1)],
      ),
    );
    const reply = await shop.update({ id, startsAt: minutes(20), endsAt: minutes(80) });
    expect(reply.code).toBe('CONFLICT');
    expect(await shop.stateOf(id)).toBe('SCHEDULED');
  });

  it('has no part valid before the rest: conditions wait for the window', async () => {
    const { saleId: id } = await shop.published();
    const endsAt = minutes(110);
    shop.warehouse.behave('fails');
    const waiting = await shop.update({ id, endsAt, holdMinutes: 3, name: 'Other' });
    expect(waiting.data.it).toMatchObject({ name: 'Other', isChanging: true });
    expect((await saleOf(id)).holdMinutes).toBeNull();
    shop.warehouse.behave('answers');
    await shop.runWorker();
    expect(await saleOf(id)).toMatchObject({ holdMinutes: 3, endsAt: new Date(endsAt) });
  });

  it('has no part valid, if it is dropped', async () => {
    const { saleId: id } = await shop.published();
    meanwhile(() => shop.moveWindow(id, 9, 60));
    const accountBefore = minutes(-60);
    const terms = { holdMinutes: 3, eligibility: 'ACCOUNT_BEFORE', accountBefore };
    expect((await shop.update({ id, endsAt: minutes(110), ...terms })).code).toBe('CONFLICT');
    expect((await saleOf(id)).holdMinutes).toBeNull();
  });

  it('that was refused sets nothing aside when its request arrives once more', async () => {
    const { saleId, shopId, offer } = await shop.drafted();
    shop.warehouse.stock(shopId, offer.sku, 7);
    expect((await shop.publish(saleId)).data.it.__typename).toBe('SaleNotAllocated');
    const [refused] = shop.warehouse.calls;
    shop.warehouse.stock(shopId, offer.sku, 100);
    await shop.warehouse.answer('allocateSale', { allocation: refused as SaleAllocation });
    expect(shop.warehouse.freeOf(shopId, offer.sku)).toBe(100);
  });

  it('raises nothing when the request of a refused raise arrives once more', async () => {
    const { saleId, shopId, offer, line } = await shop.published();
    shop.warehouse.calls.length = 0;
    await shop.setOffers(saleId, [{ ...line, allocation: 500 }]);
    const [refused] = shop.warehouse.calls;
    shop.warehouse.stock(shopId, offer.sku, 1000);
    await shop.warehouse.answer('allocateSale', { allocation: refused as SaleAllocation });
    expect(shop.warehouse.item(saleId, shopId, offer.sku)?.allocated).toBe(10);
  });

  it('ends a live sale 10 s later, also at the warehouse, if its new end has passed when it is confirmed', async () => {
    const { saleId: id, shopId } = await shop.published();
    await shop.moveWindow(id, -10, 50);
    let confirmedAt = new Date(0);
    meanwhile(async () => {
      await shop.query(
        `update sale_event set pending = jsonb_set(pending, '{endsAt}', to_jsonb($2::text))
         where id = $1`,
        [id, minutes(-5)],
      );
      confirmedAt = (await saleOf(id)).now;
    });
    await shop.update({ id, endsAt: minutes(20) });
    const { endsAt } = await saleOf(id);
    expect(endsAt.getTime()).toBeGreaterThanOrEqual(confirmedAt.getTime() + 10_000);
    expect(endsAt.getTime()).toBeLessThan(new Date(minutes(20)).getTime());
    expect(shop.warehouse.endOf(id, shopId)).toBe(endsAt.toISOString());
  });

  it('never moves the end of a live sale to a later time', async () => {
    const { saleId: id } = await shop.published();
    await shop.moveWindow(id, -10, 50);
    let former = new Date(0);
    meanwhile(async () => {
      await shop.moveWindow(id, -10, 10);
      former = (await saleOf(id)).endsAt;
    });
    await shop.update({ id, endsAt: minutes(20) });
    expect((await saleOf(id)).endsAt).toEqual(former);
  });

  it('lowers an allocation to 0 in a live sale, and raises it again', async () => {
    const { saleId, shopId, offer, line } = await shop.published();
    const allocate = (allocation: number) => shop.setOffers(saleId, [{ ...line, allocation }]);
    expect(await allocate(0)).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: ['input.offers[0].allocation'],
    });
    await shop.moveWindow(saleId, -10, 50);
    expect((await allocate(0)).data.it.__typename).toBe('SaleEvent');
    expect(shop.warehouse.item(saleId, shopId, offer.sku)?.allocated).toBe(0);
    expect((await allocate(4)).data.it.__typename).toBe('SaleEvent');
    expect(shop.warehouse.item(saleId, shopId, offer.sku)?.allocated).toBe(4);
  });

  it.each(['ended', 'cancelled'] as const)('renames no sale that is %s', async (end) => {
    const { saleId: id } = await shop.published();
    if (end === 'ended') await shop.moveWindow(id, -60, -1);
    else await shop.cancel(id);
    const [before] = await shop.query<{ name: string }>(
      'select name, slug from sale_event where id = $1',
      [id],
    );
    for (const changed of [{ name: 'Other' }, { slug: `other-${id}` }])
      expect((await shop.update({ id, ...changed })).code).toBe('CONFLICT');
    expect((await shop.update({ id, name: before?.name })).code).toBeUndefined();
    const [after] = await shop.query('select name, slug from sale_event where id = $1', [id]);
    expect(after).toEqual(before);
  });
});
