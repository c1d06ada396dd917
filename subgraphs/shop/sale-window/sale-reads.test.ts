import { openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';
import { offersForSale, salesById } from '../../contracts/shop.js';

describe('what is read of sales', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.behave('answers'));
  afterAll(() => shop.close());

  const forSale = async (id: string) => {
    const { data } = await shop.askAs('order', offersForSale.query, { ids: [id] });
    const [offer] = offersForSale.answer.parse(data.offersForSale);
    return offer;
  };
  const summary = async (id: string) => {
    const { data } = await shop.askAs('order', salesById.query, { ids: [id] });
    return salesById.answer.parse(data.salesById)[0];
  };

  it('decides the window of an offer for sale by the clock of that read', async () => {
    const terms = {
      holdMinutes: 3,
      eligibility: 'ACCOUNT_BEFORE',
      accountBefore: '2026-01-01T00:00:00.000Z',
    };
    const line = { limitPerCustomer: 2, whenSoldOut: 'SOLD_OUT' };
    const { saleId, offer } = await shop.published({ sale: terms, line, offer: { holdLimit: 4 } });
    const before = await forSale(offer.id);
    expect(before).toMatchObject({
      priceAmount: '10.00',
      holdLimit: 4,
      sale: { id: saleId, state: 'SCHEDULED', priceAmount: '5.00', ...terms, ...line },
    });
    const { startsAt } = before?.sale ?? {};
    await shop.moveWindow(saleId, -1, 10);
    const live = await forSale(offer.id);
    expect(live?.sale).toMatchObject({ state: 'LIVE', priceAmount: '5.00' });
    expect(live?.sale?.startsAt).not.toBe(startsAt);
    const [row] = await shop.query<{ now: string }>('select clock_timestamp() as now');
    expect(live?.decidedAt.localeCompare(new Date(row?.now ?? 0).toISOString())).toBeLessThan(1);
    await shop.pause(saleId);
    expect((await forSale(offer.id))?.sale).toMatchObject({ state: 'PAUSED' });
    await shop.resume(saleId);
    await shop.moveWindow(saleId, -10, -1);
    expect(await forSale(offer.id)).toMatchObject({ priceAmount: '10.00', sale: null });
    expect((await summary(saleId))?.state).toBe('ENDED');
  });

  it('counts how long a sale was paused in all, with the pause that lasts', async () => {
    const { saleId, offer } = await shop.published({ sale: { admission: 'QUEUED' } });
    await shop.moveWindow(saleId, -10, 10);
    const pausedMs = async () => {
      const read = [(await forSale(offer.id))?.sale?.pausedMs, (await summary(saleId))?.pausedMs];
      const shown = await shop.ask(null, 'query ($id: UUID!) { sale(id: $id) { pausedMs } }', {
        id: saleId,
      });
      return [...read, shown.data.sale.pausedMs as number];
    };
    /** As if it had been paused for so much longer. */
    const pausedFor = (ms: number) =>
      shop.query(
        `update sale_pause set paused_at = paused_at - $2 * interval '1 ms'
         where sale_id = $1 and resumed_at is null`,
        [saleId, ms],
      );
    expect(await pausedMs()).toEqual([0, 0, 0]);
    await shop.pause(saleId);
    await pausedFor(60_000);
    const running = await pausedMs();
    for (const ms of running) expect(ms).toBeGreaterThanOrEqual(60_000);
    await shop.pause(saleId);
    await shop.resume(saleId);
    const [first] = await pausedMs();
    expect(first).toBeGreaterThanOrEqual(running[2] as number);
    expect(await pausedMs()).toEqual([first, first, first]);
    await shop.pause(saleId);
    await pausedFor(30_000);
    await shop.cancel(saleId);
    const [summed] = [(await summary(saleId))?.pausedMs as number];
    expect(summed).toBeGreaterThanOrEqual((first as number) + 30_000);
    expect((await summary(saleId))?.pausedMs).toBe(summed);
  });

  it('shows neither a draft nor a cancelled sale to a checkout, but a summary of one that was published', async () => {
    const { saleId, offer, shopId } = await shop.published();
    expect(await summary(saleId)).toMatchObject({
      state: 'SCHEDULED',
      shops: [{ shopId, ownerId: shop.people.vendor.id }],
      offers: [{ offerId: offer.id, shopId, sku: offer.sku }],
    });
    await shop.cancel(saleId);
    expect((await forSale(offer.id))?.sale).toBeNull();
    expect((await summary(saleId))?.state).toBe('CANCELLED');
    const draft = await shop.sale(shopId);
    await shop.setOffers(draft, [{ offerId: offer.id, price: '5.00', allocation: 1 }]);
    expect((await forSale(offer.id))?.sale).toBeNull();
    expect(await summary(draft)).toBeUndefined();
  });

  const prices = async (sku: string) => {
    const { data } = await shop.askAs(
      'router',
      `query ($of: [_Any!]!) { _entities(representations: $of) { ... on ProductVariant {
         offers(first: 2) { id price { amount } sale { id price { amount } remaining } } } } }`,
      { of: [{ __typename: 'ProductVariant', sku }] },
    );
    return data._entities[0].offers;
  };
  const range = async (sku: string) => {
    const { data } = await shop.askAs(
      'router',
      `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Product {
         priceRange { lowest { amount } highest { amount } } } } }`,
      { of: [{ __typename: 'Product', id: shop.people.vendor.id, variants: [{ sku }] }] },
    );
    return data._entities[0].priceRange;
  };

  it('sorts the offers of a variant by what they cost now', async () => {
    const { saleId, offer } = await shop.published();
    const others = [
      await shop.offer(await shop.shop(), { sku: offer.sku, price: '8.00' }),
      await shop.offer(await shop.shop(), { sku: offer.sku, price: '9.00' }),
    ];
    const ids = async () => (await prices(offer.sku)).map(({ id }: { id: string }) => id);
    expect(await ids()).toEqual(others.map(({ id }) => id));
    expect(await range(offer.sku)).toEqual({
      lowest: { amount: '8.00' },
      highest: { amount: '10.00' },
    });
    await shop.moveWindow(saleId, -1, 10);
    expect(await ids()).toEqual([offer.id, others[0]?.id]);
    expect(await range(offer.sku)).toEqual({
      lowest: { amount: '5.00' },
      highest: { amount: '9.00' },
    });
    await shop.pause(saleId);
    expect(await ids()).toEqual(others.map(({ id }) => id));
    await shop.resume(saleId);
    await shop.moveWindow(saleId, -10, -1);
    expect(await ids()).toEqual(others.map(({ id }) => id));
    expect(await range(offer.sku)).toEqual({
      lowest: { amount: '8.00' },
      highest: { amount: '10.00' },
    });
  });

  it('shows the price of a sale beside the regular one, and what remains while that is known', async () => {
    const { saleId, offer, shopId } = await shop.published();
    Object.assign(shop.warehouse.item(saleId, shopId, offer.sku) ?? {}, { held: 3, sold: 2 });
    const sale = { id: saleId, price: { amount: '5.00' } };
    const shown = { id: offer.id, price: { amount: '10.00' } };
    expect(await prices(offer.sku)).toEqual([{ ...shown, sale: { ...sale, remaining: 5 } }]);
    shop.warehouse.behave('fails');
    expect(await prices(offer.sku)).toEqual([{ ...shown, sale: { ...sale, remaining: null } }]);
    await shop.pause(saleId);
    expect(await prices(offer.sku)).toEqual([{ ...shown, sale: null }]);
  });

  const offersOf = async (id: string) => {
    const text = `query ($id: UUID!) { sale(id: $id) { offers { edges { node {
      sale { id } offer { variant { sku } } price { amount } allocation limitPerCustomer whenSoldOut remaining soldOut } } } } }`;
    const { data } = await shop.ask(null, text, { id });
    return data.sale.offers.edges.map(({ node }: { node: object }) => node);
  };

  it('is sold out only when nothing is held and nothing is left', async () => {
    const { saleId, offer, shopId } = await shop.published();
    const node = {
      ...{
        sale: { id: saleId },
        offer: { variant: { sku: offer.sku } },
        price: { amount: '5.00' },
      },
      ...{ allocation: 10, limitPerCustomer: null, whenSoldOut: 'REGULAR_PRICE' },
    };
    const item = shop.warehouse.item(saleId, shopId, offer.sku) ?? {};
    Object.assign(item, { held: 1, sold: 9 });
    expect(await offersOf(saleId)).toEqual([{ ...node, remaining: 0, soldOut: false }]);
    Object.assign(item, { held: 0, sold: 10 });
    expect(await offersOf(saleId)).toEqual([{ ...node, remaining: 0, soldOut: true }]);
    shop.warehouse.behave('fails');
    expect(await offersOf(saleId)).toEqual([{ ...node, remaining: null, soldOut: null }]);
  });

  it('asks the warehouse once for all offers of a request', async () => {
    const { shopId, saleId } = await shop.published();
    const more = await shop.offer(shopId);
    await shop.setOffers(saleId, [{ offerId: more.id, price: '1.00', allocation: 1 }]);
    let asked = 0;
    const { call } = shop.app.warehouse;
    shop.app.warehouse.call = (...args) => {
      asked += 1;
      return call(...args);
    };
    expect(await offersOf(saleId)).toHaveLength(2);
    shop.app.warehouse.call = call;
    expect(asked).toBe(1);
  });

  it('lists sales that are not over, by their starts and in pages, and drafts to their owners only', async () => {
    await shop.query(`update sale_event set status = 'CANCELLED'`);
    const first = await shop.published();
    const live = await shop.published();
    await shop.moveWindow(live.saleId, -10, 10);
    const paused = await shop.published();
    await shop.pause(paused.saleId);
    const over = await shop.published();
    await shop.moveWindow(over.saleId, -10, -1);
    const draft = await shop.sale(first.shopId);
    const found: string[] = [];
    for (let after = null; ; ) {
      const { data } = await shop.ask(
        'customer',
        `query ($after: String) { sales(first: 1, after: $after) {
           edges { node { id } } pageInfo { hasNextPage endCursor } } }`,
        { after },
      );
      found.push(...data.sales.edges.map(({ node }: { node: { id: string } }) => node.id));
      if (!data.sales.pageInfo.hasNextPage) break;
      after = data.sales.pageInfo.endCursor;
    }
    expect(found).toEqual([live.saleId, first.saleId, paused.saleId]);
    const ofShop = async (who: 'vendor' | 'otherVendor' | 'admin' | null) => {
      const text = `query ($id: UUID!) { shop(id: $id) { sales { edges { node { id } } } } }`;
      const { data } = await shop.ask(who, text, { id: first.shopId });
      return data.shop.sales.edges.map(({ node }: { node: { id: string } }) => node.id);
    };
    expect(await ofShop('vendor')).toEqual([draft, first.saleId]);
    expect(await ofShop('admin')).toEqual([draft, first.saleId]);
    for (const who of ['otherVendor', null] as const)
      expect(await ofShop(who)).toEqual([first.saleId]);
  });

  it('shows a draft to its owner and admins, and one of the platform to vendors', async () => {
    const draft = await shop.sale(await shop.shop());
    const ofPlatform = await shop.sale(null);
    const seen = async (
      id: string,
      who: 'vendor' | 'otherVendor' | 'admin' | 'customer' | null,
    ) => {
      const byId = (await shop.ask(who, 'query ($id: UUID!) { sale(id: $id) { slug } }', { id }))
        .data;
      const [row] = await shop.query<{ slug: string }>(
        'select slug from sale_event where id = $1',
        [id],
      );
      const text = 'query ($slug: String!) { saleBySlug(slug: $slug) { slug } }';
      const bySlug = (await shop.ask(who, text, { slug: row?.slug })).data;
      expect(bySlug.saleBySlug).toEqual(byId.sale);
      return byId.sale !== null;
    };
    for (const [who, ofShop, ofAll] of [
      ['vendor', true, true],
      ['otherVendor', false, true],
      ['admin', true, true],
      ['customer', false, false],
      [null, false, false],
    ] as const) {
      expect([who, await seen(draft, who), await seen(ofPlatform, who)]).toEqual([
        who,
        ofShop,
        ofAll,
      ]);
    }
    const { data } = await shop.askAs(
      'router',
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on SaleEvent { name } } }',
      { of: [{ __typename: 'SaleEvent', id: draft }] },
    );
    expect(data._entities).toEqual([null]);
  });
});
