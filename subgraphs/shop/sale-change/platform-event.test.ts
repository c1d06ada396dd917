import { setTimeout } from 'node:timers/promises';
import { minutes, openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';
import { tryAgain } from '../../shared/errors.js';

describe('a platform event that shops have joined', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  beforeEach(() => shop.warehouse.reset());
  afterAll(() => shop.close());

  const joined = async () => {
    const saleId = await shop.sale(null);
    await shop.publish(saleId, 'admin');
    const join = async (who: 'vendor' | 'otherVendor') => {
      const offer = await shop.offer(await shop.shop(who));
      const line = { offerId: offer.id, price: '5.00', allocation: 10 };
      const { data } = await shop.setOffers(saleId, [line], {}, who);
      expect(data.it.__typename).toBe('SaleEvent');
      return { offer, line };
    };
    const [own, other] = [await join('vendor'), await join('otherVendor')];
    shop.warehouse.calls.length = 0;
    return { saleId, own, other };
  };
  type Joined = Awaited<ReturnType<typeof joined>>;
  const requested = () => shop.warehouse.calls.map(({ shopId }) => shopId);
  const allocated = ({ saleId }: Joined, { offer }: Joined['own']) =>
    shop.warehouse.item(saleId, offer.shopId, offer.sku)?.allocated;
  const allocations = ({ saleId }: Joined) =>
    shop.query(
      'select offer_id as id, allocation from sale_offer where sale_id = $1 order by offer_id',
      [saleId],
    );

  it('requests the shop whose units change, with the units of that shop', async () => {
    const event = await joined();
    const { saleId, own } = event;
    await shop.setOffers(saleId, [{ ...own.line, allocation: 20 }]);
    expect(shop.warehouse.calls).toMatchObject([
      { shopId: own.offer.shopId, lines: [{ sku: own.offer.sku, units: 20 }] },
    ]);
    expect(allocated(event, own)).toBe(20);
  });

  it('requests no shop for a price, a start or conditions, and each for an end', async () => {
    const { saleId, own, other } = await joined();
    shop.warehouse.behave('fails');
    const { data } = await shop.setOffers(saleId, [{ ...own.line, price: '4.00' }]);
    expect(data.it.isChanging).toBe(false);
    const startsAt = minutes(70);
    const moved = await shop.update({ id: saleId, startsAt, holdMinutes: 5 }, 'admin');
    expect(moved.data.it).toMatchObject({ startsAt, isChanging: false });
    expect(requested()).toEqual([]);
    shop.warehouse.behave('answers');
    await shop.update({ id: saleId, endsAt: minutes(110) }, 'admin');
    const both = [own.offer.shopId, other.offer.shopId];
    expect(requested().toSorted()).toEqual(both.toSorted());
  });

  it('shows a vendor refusals of own lines only, and changes nothing of other shops', async () => {
    const event = await joined();
    const { saleId, own, other } = event;
    // A warehouse of the other shop was closed.
    shop.warehouse.stock(other.offer.shopId, other.offer.sku, -8);
    const before = await allocations(event);
    const { data } = await shop.setOffers(saleId, [{ ...own.line, allocation: 500 }]);
    expect(data.it).toMatchObject({
      __typename: 'SaleNotAllocated',
      lines: [{ units: 500, offer: { id: own.offer.id } }],
    });
    expect(await allocations(event)).toEqual(before);
    expect(new Set(requested())).toEqual(new Set([own.offer.shopId]));
    expect(allocated(event, other)).toBe(10);
    const raised = await shop.setOffers(saleId, [{ ...own.line, allocation: 30 }]);
    expect(raised.data.it.__typename).toBe('SaleEvent');
  });

  it('keeps the lines of others when the change of an admin is refused in one shop', async () => {
    const event = await joined();
    const { saleId, own, other } = event;
    const before = await allocations(event);
    shop.warehouse.stock(own.offer.shopId, own.offer.sku, 0);
    shop.warehouse.stock(other.offer.shopId, other.offer.sku, 0);
    const third = await shop.offer(await shop.shop());
    const offers = [
      { offerId: third.id, price: '5.00', allocation: 5 },
      { ...own.line, allocation: 11 },
    ];
    const { data } = await shop.setOffers(saleId, offers, {}, 'admin');
    expect(data.it.lines).toMatchObject([{ offer: { id: own.offer.id }, most: 10 }]);
    expect(await allocations(event)).toEqual(before);
    expect(shop.warehouse.item(saleId, third.shopId, third.sku)?.allocated ?? 0).toBe(0);
    expect(requested()).not.toContain(other.offer.shopId);
  });

  /** A draft with an offer of each of so many shops. */
  const draftOfShops = async (count: number) => {
    const saleId = await shop.sale(null);
    const offers: { id: string; sku: string; shopId: string }[] = [];
    for (let n = 0; n < count; n++) offers.push(await shop.offer(await shop.shop()));
    const lines = offers.map(({ id }) => ({ offerId: id, price: '5.00', allocation: 10 }));
    await shop.setOffers(saleId, lines, {}, 'admin');
    const free = () => offers.map(({ shopId, sku }) => shop.warehouse.freeOf(shopId, sku));
    return { saleId, offers, free };
  };
  /** Lets requests be decided in turn only. @returns how many came before the first was decided */
  const decideInTurn = () => {
    const came: string[] = [];
    let atOnce = 0;
    let last: Promise<unknown> = Promise.resolve();
    shop.warehouse.beforeAllocation(({ shopId }) => {
      came.push(shopId);
      last = last.then(async () => {
        await setTimeout(50);
        atOnce ||= came.length;
      });
      return last;
    });
    return () => atOnce;
  };

  it('requests four shops at a time, and is published once all of them have their units', async () => {
    const { saleId, offers, free } = await draftOfShops(6);
    const atOnce = decideInTurn();
    const { data } = await shop.publish(saleId, 'admin');
    expect(data.it).toMatchObject({ __typename: 'SaleEvent', isChanging: false });
    expect(atOnce()).toBe(4);
    expect(requested().toSorted()).toEqual(offers.map(({ shopId }) => shopId).toSorted());
    expect(free()).toEqual(offers.map(() => 90));
  });

  it('has no units anywhere when one of several requests at once is refused, also where others were applied', async () => {
    const { saleId, offers, free } = await draftOfShops(6);
    const byShop = offers.toSorted((a, b) => (a.shopId < b.shopId ? -1 : 1));
    const [, short] = byShop as [(typeof byShop)[0], (typeof byShop)[0]];
    shop.warehouse.stock(short.shopId, short.sku, 9);
    decideInTurn();
    const { data } = await shop.publish(saleId, 'admin');
    expect(data.it).toMatchObject({
      __typename: 'SaleNotAllocated',
      lines: [{ units: 10, most: 9, offer: { id: short.id } }],
    });
    // The last one was not requested at first: the second was refused by then.
    const last = byShop.at(-1)?.shopId;
    expect(shop.warehouse.calls.filter(({ shopId }) => shopId === last)).toMatchObject([
      { lines: [] },
    ]);
    expect(free()).toEqual(offers.map(({ id }) => (id === short.id ? 9 : 100)));
    expect(await shop.stateOf(saleId)).toBe('DRAFT');
  });

  it('is completed by the worker after the requests to some of its shops failed', async () => {
    const { saleId, offers, free } = await draftOfShops(6);
    let count = 0;
    shop.warehouse.beforeAllocation(async () => {
      if (++count % 2 === 0) throw tryAgain('not reachable');
    });
    const { data } = await shop.publish(saleId, 'admin');
    expect(data.it).toMatchObject({ __typename: 'SaleEvent', isChanging: true });
    expect(await shop.stateOf(saleId)).toBe('PUBLISHING');
    const applied = await shop.query('select from sale_shop where sale_id = $1 and revision > 0', [
      saleId,
    ]);
    expect(applied.length).toBeGreaterThan(0);
    expect(applied.length).toBeLessThan(offers.length);
    shop.warehouse.reset();
    await shop.runWorker();
    expect(await shop.stateOf(saleId)).toBe('SCHEDULED');
    // Those that were applied are not requested again.
    expect(requested()).toHaveLength(offers.length - applied.length);
    expect(free()).toEqual(offers.map(() => 90));
  });

  it('has at most 200 offers of one vendor, in all shops; admins may add more', async () => {
    const saleId = await shop.sale(null);
    const first = await shop.shop();
    await shop.query(
      `with made as (
         insert into offer (id, shop_id, sku, name, price_amount, currency_code)
         select gen_random_uuid(), $1, 'MANY-' || n, 'It', 10, 'USD' from generate_series(1, 199) n
         returning id)
       insert into sale_offer (sale_id, offer_id, price_amount, allocation)
       select $2, id, 5, 1 from made`,
      [first, saleId],
    );
    const second = await shop.shop();
    const lines = [];
    for (let n = 0; n < 3; n++) {
      const { id } = await shop.offer(second);
      lines.push({ offerId: id, price: '5.00', allocation: 1 });
    }
    expect(await shop.setOffers(saleId, lines.slice(0, 2))).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: ['input.offers'],
    });
    const [one, two, three] = lines;
    const added = await shop.setOffers(saleId, [one as object]);
    expect(added.code).toBeUndefined();
    const swapped = await shop.setOffers(saleId, [two as object], { remove: [one?.offerId] });
    expect(swapped.code).toBeUndefined();
    expect((await shop.setOffers(saleId, [{ ...two, allocation: 2 }])).code).toBeUndefined();
    const ofOther = { ...three, offerId: (await shop.offer(await shop.shop('otherVendor'))).id };
    expect((await shop.setOffers(saleId, [ofOther], {}, 'otherVendor')).code).toBeUndefined();
    expect((await shop.setOffers(saleId, [three as object])).code).toBe('BAD_USER_INPUT');
    const more = await shop.query<{ id: string }>(
      `insert into offer (id, shop_id, sku, name, price_amount, currency_code)
       select gen_random_uuid(), $1, 'MORE-' || n, 'It', 10, 'USD' from generate_series(1, 201) n
       returning id`,
      [second],
    );
    const ofAdmin = more.map(({ id }) => ({ offerId: id, price: '5.00', allocation: 1 }));
    expect((await shop.setOffers(saleId, ofAdmin, {}, 'admin')).code).toBeUndefined();
  });
});
