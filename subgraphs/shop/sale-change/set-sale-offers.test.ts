import { randomUUID } from 'node:crypto';
import { minutes, openSaleShop, type SaleShop } from '../../../tests/harness/sale-shop.js';

describe('a draft of a sale', () => {
  let shop: SaleShop;
  beforeAll(async () => {
    shop = await openSaleShop();
  });
  afterAll(() => shop.close());

  const linesOf = (saleId: string) =>
    shop.query<{ price: string }>(
      `select offer_id as id, price_amount as price, allocation from sale_offer
       where sale_id = $1 order by offer_id`,
      [saleId],
    );
  const create = (input: object, who: 'vendor' | 'admin' | 'customer' = 'vendor') => {
    const base = { name: 'Sale', slug: `sale-${randomUUID()}` };
    const times = { startsAt: minutes(60), endsAt: minutes(120) };
    const text = 'mutation ($input: CreateSaleInput!) { createSale(input: $input) { id slug } }';
    return shop.ask(who, text, { input: { ...base, ...times, ...input } });
  };

  it('is created once under a key', async () => {
    const input = { shopId: await shop.shop(), slug: `s-${randomUUID()}`, idempotencyKey: 'k' };
    const window = { startsAt: minutes(10), endsAt: minutes(20) };
    const first = await create({ ...input, ...window });
    expect((await create({ ...input, ...window })).data).toEqual(first.data);
    expect((await create({ ...input, ...window, idempotencyKey: 'other' })).code).toBe('CONFLICT');
  });

  it.each([
    ['an end before the start', { endsAt: minutes(59) }, 'input.endsAt'],
    ['an end in the past', { startsAt: minutes(-9), endsAt: minutes(-1) }, 'input.endsAt'],
    ['more than 31 days', { endsAt: minutes(60 + 31 * 1440 + 1) }, 'input.endsAt'],
    [
      'a start in more than a year',
      { startsAt: minutes(367 * 1440), endsAt: minutes(368 * 1440) },
      'input.startsAt',
    ],
    ['holds of no minutes', { holdMinutes: 0 }, 'input.holdMinutes'],
    ['holds of more than an hour', { holdMinutes: 61 }, 'input.holdMinutes'],
    ['admissions of no minutes', { admissionMinutes: 0 }, 'input.admissionMinutes'],
    ['admissions of more than an hour', { admissionMinutes: 61 }, 'input.admissionMinutes'],
    ['no admission in a minute', { admissionsPerMinute: 0 }, 'input.admissionsPerMinute'],
    ['a rule without its date', { eligibility: 'ACCOUNT_BEFORE' }, 'input.accountBefore'],
    ['a date without its rule', { accountBefore: minutes(0) }, 'input.accountBefore'],
    ['a slug of other characters', { slug: 'A sale' }, 'input.slug'],
  ])('is not created with %s', async (_, wrong, field) => {
    const reply = await create({ shopId: await shop.shop(), ...wrong });
    expect(reply).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] });
  });

  it('of a shop is for its owner, of the platform for admins', async () => {
    const foreign = await shop.shop('otherVendor');
    expect((await create({ shopId: foreign })).code).toBe('FORBIDDEN');
    expect((await create({})).code).toBe('FORBIDDEN');
    expect((await create({ shopId: randomUUID() })).code).toBe('NOT_FOUND');
    expect((await create({}, 'admin')).code).toBeUndefined();
    const saleId = await shop.sale(await shop.shop());
    for (const change of [shop.publish, shop.pause, shop.resume, shop.cancel])
      expect((await change(saleId, 'otherVendor')).code).toBe('FORBIDDEN');
    expect((await shop.update({ id: saleId, name: 'X' }, 'otherVendor')).code).toBe('FORBIDDEN');
  });

  it('takes offers, changes their terms, and loses them; a repeat changes nothing', async () => {
    const shopId = await shop.shop();
    const [first, second] = [await shop.offer(shopId), await shop.offer(shopId)];
    const saleId = await shop.sale(shopId);
    const line = { offerId: first.id, price: '5', allocation: 10 };
    await shop.setOffers(saleId, [line, { ...line, offerId: second.id }]);
    const change = () =>
      shop.setOffers(saleId, [{ ...line, price: '4.50' }], { remove: [second.id] });
    await change();
    expect((await change()).data.it.__typename).toBe('SaleEvent');
    expect(await linesOf(saleId)).toEqual([{ id: first.id, price: '4.50', allocation: 10 }]);
    expect(shop.warehouse.calls).toEqual([]);
  });

  it.each([
    ['a price above the regular one', { price: '10.01' }, 'input.offers[0].price'],
    ['a price with too many decimals', { price: '9.999' }, 'input.offers[0].price'],
    ['no units', { allocation: 0 }, 'input.offers[0].allocation'],
    ['a limit of none', { limitPerCustomer: 0 }, 'input.offers[0].limitPerCustomer'],
    ['an unknown offer', { offerId: randomUUID() }, 'input.offers[0].offerId'],
  ])('takes no offer with %s', async (_, wrong, field) => {
    const shopId = await shop.shop();
    const offer = await shop.offer(shopId);
    const saleId = await shop.sale(shopId);
    const line = { offerId: offer.id, price: '5.00', allocation: 10, ...wrong };
    const reply = await shop.setOffers(saleId, [line]);
    expect(reply).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] });
    expect(await linesOf(saleId)).toEqual([]);
  });

  it('has prices that the currency of the offer can express', async () => {
    const shopId = await shop.shop('vendor', 'JPY');
    const offer = await shop.offer(shopId, { price: '1000' });
    const saleId = await shop.sale(shopId);
    const line = { offerId: offer.id, price: '500.50', allocation: 1 };
    expect(await shop.setOffers(saleId, [line])).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: ['input.offers[0].price'],
    });
  });

  it('takes an offer once, of its own shop, and at most 2,000', async () => {
    const shopId = await shop.shop();
    const saleId = await shop.sale(shopId);
    const [own, other] = [await shop.offer(shopId), await shop.offer(await shop.shop())];
    const line = { offerId: own.id, price: '5.00', allocation: 1 };
    for (const lines of [[line, line], [{ ...line, offerId: other.id }]])
      expect((await shop.setOffers(saleId, lines)).code).toBe('BAD_USER_INPUT');
    await shop.query(
      `with made as (
         insert into offer (id, shop_id, sku, name, price_amount, currency_code)
         select gen_random_uuid(), $1, 'MANY-' || n, 'It', 10, 'USD' from generate_series(1, 2000) n
         returning id)
       insert into sale_offer (sale_id, offer_id, price_amount, allocation)
       select $2, id, 5, 1 from made`,
      [shopId, saleId],
    );
    expect(await shop.setOffers(saleId, [line])).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: ['input.offers'],
    });
    const remove = Array.from({ length: 5 }, () => other.id);
    const [first] = await shop.query<{ id: string }>(
      'select offer_id as id from sale_offer where sale_id = $1 limit 1',
      [saleId],
    );
    const twice = { remove: [first?.id, first?.id] };
    const third = { offerId: (await shop.offer(shopId)).id, price: '5.00', allocation: 1 };
    for (const more of [{ remove }, twice])
      expect((await shop.setOffers(saleId, [line, third], more)).code).toBe('BAD_USER_INPUT');
    expect(await linesOf(saleId)).toHaveLength(2000);
  });

  it('loses an offer once, however often it is named', async () => {
    const { saleId, offer, shopId } = await shop.published();
    const more = await shop.offer(shopId);
    await shop.setOffers(saleId, [{ offerId: more.id, price: '5.00', allocation: 1 }]);
    const { data } = await shop.setOffers(saleId, [], { remove: [offer.id, offer.id] });
    expect(data?.it.__typename).toBe('SaleEvent');
    expect(await linesOf(saleId)).toHaveLength(1);
  });

  it('of the platform is joined by shops with their own offers only', async () => {
    const saleId = await shop.sale(null);
    const offer = await shop.offer(await shop.shop('vendor'));
    const line = { offerId: offer.id, price: '5.00', allocation: 1 };
    expect((await shop.setOffers(saleId, [line], {}, 'otherVendor')).code).toBe('FORBIDDEN');
    expect((await shop.setOffers(saleId, [line])).data.it.__typename).toBe('SaleEvent');
    const remove = { remove: [offer.id] };
    expect((await shop.setOffers(saleId, [], remove, 'otherVendor')).code).toBe('FORBIDDEN');
    expect(await linesOf(saleId)).toHaveLength(1);
  });

  it('of the platform is joined after it was published, too', async () => {
    const saleId = await shop.sale(null);
    expect((await shop.publish(saleId, 'admin')).data.it.state).toBe('SCHEDULED');
    const offer = await shop.offer(await shop.shop('vendor'));
    const { data } = await shop.setOffers(saleId, [
      { offerId: offer.id, price: '5.00', allocation: 3 },
    ]);
    expect(data.it).toMatchObject({ __typename: 'SaleEvent', isChanging: false });
    expect(shop.warehouse.item(saleId, offer.shopId, offer.sku)?.allocated).toBe(3);
    await shop.setOffers(saleId, [], { remove: [offer.id] });
    expect(shop.warehouse.item(saleId, offer.shopId, offer.sku)?.allocated).toBe(0);
  });

  it('changes freely, and has no units to free when it is cancelled', async () => {
    const shopId = await shop.shop();
    const saleId = await shop.sale(shopId);
    const [startsAt, endsAt] = [minutes(1), minutes(2)];
    const input = { id: saleId, startsAt, endsAt, eligibility: 'ACCOUNT_BEFORE' };
    const changed = await shop.update({ ...input, accountBefore: minutes(0) });
    expect(changed.data.it).toMatchObject({ startsAt, endsAt, state: 'DRAFT' });
    expect((await shop.pause(saleId)).code).toBe('CONFLICT');
    expect((await shop.cancel(saleId)).data.it.state).toBe('CANCELLED');
  });
});
