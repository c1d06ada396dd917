import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { seedId } from '../dev/seed/ids.js';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { checkout, openShop, type Person, registerPerson } from './harness/people.js';
import { statementsOf } from './harness/statements.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

describe('offers', () => {
  let system: TestSystem;
  let database: pg.Client;
  let watcher: pg.Client;
  let vendor: Person;
  let otherVendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.shop });
    await database.connect();
    watcher = new pg.Client({ connectionString: system.databases.shop });
    await watcher.connect();
    [vendor, otherVendor] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
    ]);
  });
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    await Promise.all([database.end(), watcher.end()]);
    await system.stop();
  });

  const ask = async (query: string, variables: object = {}, person = vendor) => {
    const { data, errors } = await system.graphql(query, variables, person.token);
    if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
    return data;
  };
  const fields = 'id active purchaseLimit price { amount currencyCode } compareAtPrice { amount }';
  const set = async (input: object, person = vendor) => {
    const query = `mutation ($input: SetOfferInput!) { setOffer(input: $input) { ${fields} } }`;
    return (await ask(query, { input }, person)).setOffer;
  };
  const remove = async (id: string, person = vendor) =>
    (await ask('mutation ($id: UUID!) { removeOffer(id: $id) }', { id }, person)).removeOffer;
  const offer = async (id: string) =>
    (await ask(`query ($id: UUID!) { offer(id: $id) { ${fields} } }`, { id })).offer;
  const newShop = async (currencyCode = 'USD') => {
    const input = { name: 'S', slug: `s-${randomUUID()}`, currencyCode };
    const query = 'mutation ($input: CreateShopInput!) { createShop(input: $input) { id } }';
    return (await ask(query, { input })).createShop.id as string;
  };
  /** A new product with `count` variants, without offers. */
  const newProduct = async (count: number, name = 'Nice thing') => {
    const tail = randomUUID().slice(0, 8);
    const skus = Array.from({ length: count }, (_, n) => `T-${tail}-V${n}`);
    const input = {
      name,
      description: 'A thing',
      categoryId: seedId('category', 0),
      variants: skus.map((sku) => ({ sku, name: `no ${sku.slice(-1)}` })),
    };
    const query = 'mutation ($input: CreateProductInput!) { createProduct(input: $input) { id } }';
    return { productId: (await ask(query, { input })).createProduct.id as string, skus };
  };
  const rowOf = async (id: string) => {
    const query = 'select * from offer where id = $1';
    return (await database.query(query, [id])).rows[0];
  };
  const eventsOf = async (id: string) => {
    const { rows } = await database.query(
      `select consumer, version, payload from outbox
       where topic = 'shop.offer.changed' and key = $1 order by version`,
      [id],
    );
    return rows;
  };
  const amountsOf = (list: { price: { amount: string } }[]) =>
    list.map((each) => each.price.amount);

  it('have a price in the shop’s currency, a price to compare with, and a limit', async () => {
    const { skus } = await newProduct(1);
    const made = await set({
      ...{ shopId: await newShop('EUR'), sku: skus[0], price: '9.9' },
      ...{ compareAtPrice: '12', purchaseLimit: 3, active: false },
    });
    expect(made).toEqual({
      id: made.id,
      active: false,
      purchaseLimit: 3,
      price: { amount: '9.90', currencyCode: 'EUR' },
      compareAtPrice: { amount: '12.00' },
    });
    expect(await offer(made.id)).toEqual(made);
  });

  it('are one for a shop and a variant, replaced as a whole, with an event and a version for each change', async () => {
    const { shopId, sku, offerId } = await openShop(system, vendor, [1]);
    await set({ shopId, sku, price: '5.00', compareAtPrice: '6.00', purchaseLimit: 1 });
    const last = await set({ shopId, sku, price: '4.00', active: false });
    expect(last).toMatchObject({ id: offerId, compareAtPrice: null, purchaseLimit: null });
    await remove(offerId);
    const payload = { offerId, shopId, sku, currencyCode: 'USD', sale: null };
    expect(await eventsOf(offerId)).toEqual([
      { consumer: 'product', version: 1, payload: { ...payload, price: '10.00', active: true } },
      { consumer: 'product', version: 2, payload: { ...payload, price: '5.00', active: true } },
      { consumer: 'product', version: 3, payload: { ...payload, price: '4.00', active: false } },
      { consumer: 'product', version: 4, payload: { ...payload, price: '4.00', active: false } },
    ]);
  });

  it('changed many times at once have a version and an event for each change', async () => {
    const { shopId, sku, offerId } = await openShop(system, vendor, [1]);
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => set({ shopId, sku, price: `${n + 1}.00` })),
    );
    const events = await eventsOf(offerId);
    expect(events.map(({ version }) => version)).toEqual(
      Array.from({ length: 21 }, (_, n) => n + 1),
    );
    expect(events.at(-1).payload.price).toBe((await rowOf(offerId)).price_amount);
  });

  it.each([
    [{ compareAtPrice: '10.00' }, 'input.compareAtPrice'],
    [{ compareAtPrice: '9.999' }, 'input.compareAtPrice'],
    [{ purchaseLimit: 0 }, 'input.purchaseLimit'],
    [{ price: '-1' }, 'input.price'],
    [{ sku: 'NO-SUCH-SKU' }, 'input.sku'],
  ])('are not set with %j, and no event is sent', async (wrong, field) => {
    const { shopId, sku, offerId } = await openShop(system, vendor, [1]);
    const before = await rowOf(offerId);
    const input = { shopId, sku, price: '10.00', ...wrong };
    await expect(set(input)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: { [field]: expect.any(String) },
    });
    expect(await rowOf(offerId)).toEqual(before);
    expect(await eventsOf(offerId)).toHaveLength(1);
  });

  it('cannot be set or removed by another vendor', async () => {
    const { shopId, sku, offerId } = await openShop(system, vendor, [1]);
    const before = await rowOf(offerId);
    const code = 'FORBIDDEN';
    await expect(set({ shopId, sku, price: '0.01' }, otherVendor)).rejects.toMatchObject({ code });
    await expect(remove(offerId, otherVendor)).rejects.toMatchObject({ code });
    await expect(remove(randomUUID())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await rowOf(offerId)).toEqual(before);
  });

  it('that were removed cannot be bought, are still shown in orders, and can be restored', async () => {
    const { shopId, sku, offerId } = await openShop(system, vendor, [5]);
    const customer = await registerPerson(system);
    const { data } = await checkout(system, customer, [{ offerId, quantity: 1 }]);
    expect([await remove(offerId), await remove(offerId)]).toEqual([true, true]);
    expect(await eventsOf(offerId)).toHaveLength(2);

    const again = await checkout(system, customer, [{ offerId, quantity: 1 }]);
    expect(again.data.checkout).toMatchObject({ __typename: 'OfferGone', offerIds: [offerId] });
    const orderQuery = `query ($id: UUID!) { order(id: $id) {
      shopOrders { items { offer { id active price { amount } variant { sku } } } } } }`;
    const { order } = await ask(orderQuery, { id: data.checkout.order.id }, customer);
    expect(order.shopOrders[0].items).toEqual([
      { offer: { id: offerId, active: false, price: { amount: '10.00' }, variant: { sku } } },
    ]);
    const gone = await ask(
      `query ($shop: UUID!, $sku: String!, $offer: UUID!) { offer(id: $offer) { id }
         shop(id: $shop) { offers { edges { node { id } } } } variant(sku: $sku) { offers { id } } }`,
      { shop: shopId, sku, offer: offerId },
    );
    expect(gone).toEqual({ offer: null, shop: { offers: { edges: [] } }, variant: { offers: [] } });

    expect(await set({ shopId, sku, price: '11.00' })).toMatchObject({ id: offerId, active: true });
    expect((await offer(offerId)).price.amount).toBe('11.00');
  });

  it('of a variant are listed cheapest first, as many as requested, only active ones', async () => {
    const { skus } = await newProduct(2);
    const shops = [await newShop(), await newShop(), await newShop(), await newShop()];
    for (const [n, shopId] of shops.entries()) {
      await set({ shopId, sku: skus[0], price: `${9 - n}.00`, active: n < 3 });
    }
    await set({ shopId: shops[0], sku: skus[1], price: '1.00' });
    const { one, other } = await ask(
      `query ($one: String!, $other: String!, $shop: UUID!) {
         one: variant(sku: $one) { two: offers(first: 2) { price { amount } }
           all: offers { price { amount } } ofShop: offers(shopId: $shop) { price { amount } } }
         other: variant(sku: $other) { offers(first: 2) { price { amount } } } }`,
      { one: skus[0], other: skus[1], shop: shops[0] },
    );
    expect(amountsOf(one.two)).toEqual(['7.00', '8.00']);
    expect(amountsOf(one.all)).toEqual(['7.00', '8.00', '9.00']);
    expect(amountsOf(one.ofShop)).toEqual(['9.00']);
    expect(amountsOf(other.offers)).toEqual(['1.00']);
  });

  it('of a shop are listed newest first, in pages that are stable when offers are added, and are searched', async () => {
    const shopId = await newShop();
    const { skus } = await newProduct(5, 'Blue Kettle (électrique)');
    const ids = [];
    for (const sku of skus) ids.unshift((await set({ shopId, sku, price: '5.00' })).id);
    const page = async (args: string) => {
      const query = `query ($id: UUID!) { shop(id: $id) {
        offers(${args}) { edges { node { id } } pageInfo { hasNextPage endCursor } } } }`;
      const { edges, pageInfo } = (await ask(query, { id: shopId })).shop.offers;
      return { ids: edges.map(({ node }: { node: { id: string } }) => node.id), ...pageInfo };
    };
    const first = await page('first: 2');
    expect(first).toMatchObject({ ids: ids.slice(0, 2), hasNextPage: true });
    const newer = await newProduct(1);
    await set({ shopId, sku: newer.skus[0], price: '1.00' });
    const rest = await page(`first: 3, after: "${first.endCursor}"`);
    expect(rest).toMatchObject({ ids: ids.slice(2), hasNextPage: false });

    expect((await page('search: "kett ÉLEC"')).ids).toEqual(ids);
    expect((await page(`search: "${skus[3]?.toLowerCase()}"`)).ids).toEqual([ids[1]]);
    expect((await page('search: "kettle green"')).ids).toEqual([]);
    expect((await page('search: "--"')).ids).toEqual([]);
    await expect(page('first: 101')).rejects.toThrow('between 1 and 100');
  });

  it('determine the price range of a product, in one currency', async () => {
    const { productId, skus } = await newProduct(3);
    const range = async (args = '') => {
      const query = `query ($id: UUID!) { product(id: $id) { priceRange${args} {
        lowest { amount currencyCode } highest { amount currencyCode } } } }`;
      return (await ask(query, { id: productId })).product.priceRange;
    };
    expect(await range()).toBeNull();
    const [dollars, euros] = [await newShop(), await newShop('EUR')];
    await set({ shopId: dollars, sku: skus[0], price: '30.00' });
    await set({ shopId: dollars, sku: skus[1], price: '20.00' });
    await set({ shopId: dollars, sku: skus[2], price: '1.00', active: false });
    await set({ shopId: euros, sku: skus[2], price: '5.00' });
    const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
    expect(await range()).toEqual({ lowest: usd('20.00'), highest: usd('30.00') });
    const eur = { amount: '5.00', currencyCode: 'EUR' };
    expect(await range('(currencyCode: "EUR")')).toEqual({ lowest: eur, highest: eur });
    expect(await range('(currencyCode: "CHF")')).toBeNull();
    await expect(range('(currencyCode: "francs")')).rejects.toThrow('currencyCode');
  });

  it('of fifty products, and of fifty shops, take as many SQL statements as those of one', async () => {
    const product = (first: number) => `{ products(first: ${first}) { edges { node {
      priceRange { lowest { amount } }
      variants { offers(first: 2) { compareAtPrice { amount } shop { name } } } } } } }`;
    const shop = (first: number) => `{ shops(first: ${first}) { edges { node {
      offers(first: 3) { edges { node { price { amount } } } } } } } }`;
    const counts: number[] = [];
    for (const query of [product(1), product(50), shop(1), shop(50)]) {
      counts.push((await statementsOf('shop', () => ask(query))).length);
    }
    // the ranges, the cheapest offers with their shops; the shops, their offers: own ones apart, with inactive offers
    expect(counts).toEqual([2, 2, 2, 3]);
  });

  it.each([
    'price_amount = -1',
    'compare_at_amount = price_amount',
    'purchase_limit = 0',
    'removed_at = now()',
    'shop_id = gen_random_uuid()',
  ])('cannot have %s in the database', async (change) => {
    const { offerId } = await openShop(system, vendor, [1]);
    const update = database.query(`update offer set ${change} where id = $1`, [offerId]);
    await expect(update).rejects.toThrow('constraint');
  });

  /** Delivers an event as the relay of the product subgraph does. */
  async function deliver(
    event: { topic: string; version: number; payload: { sku: string } },
    id = randomUUID(),
  ) {
    const { topic, version, payload } = event;
    const secret = system.secrets.callers.PRODUCT_SECRET as string;
    const { data } = await postGraphQL(
      `http://127.0.0.1:${system.ports.ports.shop}/graphql`,
      'mutation ($events: [OutboxEvent!]!) { deliverToShop(events: $events) { accepted } }',
      { events: [{ id, topic, key: payload.sku, version, payload: JSON.stringify(payload) }] },
      undefined,
      { [callerHeader]: callerCredentials('product', secret) },
    );
    expect(data.deliverToShop).toEqual({ accepted: [id] });
  }
  /** Number of sessions that wait for a lock. A connection of its own: a transaction does not see new sessions. */
  const countWaiting = async () => {
    const { rows } = await watcher.query(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0].count as number;
  };

  describe('of a variant that is renamed', () => {
    const rename = (sku: string, version: number, name: string) =>
      deliver({
        topic: 'product.variant.renamed',
        version,
        payload: { sku, name } as { sku: string },
      });
    const nameOf = async (id: string) => {
      const { rows } = await database.query('select name, version from offer where id = $1', [id]);
      return rows[0];
    };

    it('have its newest name in every shop, whatever events come late or twice', async () => {
      const { skus } = await newProduct(2);
      const [sku, otherSku] = skus as [string, string];
      const ids = [];
      for (const shopId of [await newShop(), await newShop('EUR')]) {
        ids.push((await set({ shopId, sku, price: '1.00' })).id as string);
      }
      const other = (await set({ shopId: await newShop(), sku: otherSku, price: '1.00' })).id;
      const before = await nameOf(other);
      for (const [version, name] of [
        [3, 'Third'],
        [2, 'Second'],
        [3, 'Third'],
      ] as const) {
        await rename(sku, version, name);
        for (const id of ids) expect(await nameOf(id)).toEqual({ name: 'Third', version: 1 });
      }
      expect(await nameOf(other)).toEqual(before);
      const late = await set({ shopId: await newShop(), sku, price: '1.00' });
      expect(await nameOf(late.id)).toEqual({ name: 'Third', version: 1 });
      await rename(sku, 4, 'Nice thing, no 0'); // as in the product subgraph
    });

    it('have its new name even if they are set at the same moment', async () => {
      const { skus } = await newProduct(1);
      const sku = skus[0] as string;
      const shopId = await newShop();
      // Stops `setOffer` after it has read the name: its insert needs the shop's row.
      await database.query('begin');
      await database.query('select from shop where id = $1 for update', [shopId]);
      const setting = set({ shopId, sku, price: '1.00' });
      await eventually(countWaiting, (count) => count === 1);
      const delivering = rename(sku, 2, 'Renamed');
      await Promise.race([delivering, eventually(countWaiting, (count) => count === 2)]);
      await database.query('commit');
      const { id } = await setting;
      await delivering;
      expect(await nameOf(id)).toMatchObject({ name: 'Renamed' });
      await rename(sku, 3, 'Nice thing, no 0'); // as in the product subgraph
    });
  });

  describe('of a variant that is removed', () => {
    const remove = (sku: string, id = randomUUID()) =>
      deliver({ topic: 'product.variant.removed', version: 1, payload: { sku } }, id);

    it('are retired permanently, in every shop, once', async () => {
      const { skus } = await newProduct(2);
      const shops = [await newShop(), await newShop('EUR')];
      const ids = [];
      for (const shopId of shops) ids.push((await set({ shopId, sku: skus[0], price: '1.00' })).id);
      const other = await set({ shopId: shops[0], sku: skus[1], price: '1.00' });
      const id = randomUUID();
      for (const eventId of [id, id, randomUUID()]) await remove(skus[0] as string, eventId);
      for (const offerId of ids) {
        expect(await offer(offerId)).toMatchObject({ active: false });
        const events = await eventsOf(offerId);
        expect(events.map(({ payload }) => payload.active)).toEqual([true, false]);
      }
      expect(await offer(other.id)).toEqual(other);

      for (const shopId of [...shops, await newShop()]) {
        const refused = set({ shopId, sku: skus[0], price: '1.00' });
        await expect(refused).rejects.toMatchObject({
          fields: { 'input.sku': expect.any(String) },
        });
      }
      expect(await offer(ids[0])).toMatchObject({ active: false });
    });

    it('are retired even if they are set at the same moment', async () => {
      const { skus } = await newProduct(1);
      const shopId = await newShop();
      // Stops `setOffer` after it has checked for a retired sku: its insert needs the shop's row.
      await database.query('begin');
      await database.query('select from shop where id = $1 for update', [shopId]);
      const setting = set({ shopId, sku: skus[0], price: '1.00' });
      await eventually(countWaiting, (count) => count === 1);
      const delivering = remove(skus[0] as string);
      await Promise.race([delivering, eventually(countWaiting, (count) => count === 2)]);
      await database.query('commit');
      const { id } = await setting;
      await delivering;
      expect(await offer(id)).toMatchObject({ active: false });
    });
  });
});
