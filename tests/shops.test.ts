import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { logIn, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';

describe('a vendor’s shops', () => {
  let system: TestSystem;
  let database: pg.Client;
  let vendor: Person;
  let otherVendor: Person;
  beforeAll(async () => {
    system = await startSystem();
    database = new pg.Client({ connectionString: system.databases.shop });
    await database.connect();
    [vendor, otherVendor] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system, 'VENDOR'),
    ]);
  });
  afterAll(async () => {
    await database.end();
    await system.stop();
  });

  const ask = async (query: string, variables: object = {}, person = vendor) => {
    const { data, errors } = await system.graphql(query, variables, person.token);
    if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
    return data;
  };
  const create = async (input: object = {}) => {
    const named = { name: 'A shop', slug: `shop-${randomUUID()}`, ...input };
    const query = `mutation ($input: CreateShopInput!) {
      createShop(input: $input) { id name slug currencyCode owner { id } } }`;
    return (await ask(query, { input: named })).createShop;
  };
  const update = async (input: object, person = vendor) => {
    const query = `mutation ($input: UpdateShopInput!) {
      updateShop(input: $input) { id name slug currencyCode } }`;
    return (await ask(query, { input }, person)).updateShop;
  };
  const shopBy = async (args: string) =>
    (await ask(`{ shop(${args}) { id name slug currencyCode } }`)).shop;
  const find = async (args: string) =>
    (
      await ask(`{ shops(${args}) { edges { node { id } }
    pageInfo { hasNextPage endCursor } } }`)
    ).shops;
  const idsOf = (page: { edges: { node: { id: string } }[] }) =>
    page.edges.map(({ node }) => node.id);

  it('can be several, each with a currency, and are found by id and by slug', async () => {
    const [one, other] = [await create(), await create({ currencyCode: 'EUR' })];
    expect(one).toMatchObject({ currencyCode: 'USD', owner: { id: vendor.id } });
    expect(await shopBy(`id: "${other.id}"`)).toMatchObject({ currencyCode: 'EUR' });
    expect((await shopBy(`slug: "${one.slug}"`)).id).toBe(one.id);
    expect(await shopBy(`id: "${randomUUID()}"`)).toBeNull();
  });

  it('enqueue one event for the warehouse subgraph, in the commit that creates them', async () => {
    const { id, name, slug } = await create({ name: 'Created' });
    await expect(create({ slug })).rejects.toMatchObject({ code: 'CONFLICT' });
    const { rows } = await database.query(
      `select consumer, key, version, payload from outbox
       where topic = 'shop.shop.created' and payload->>'name' in ('Created', 'A shop') and key >= $1`,
      [id],
    );
    expect(rows).toEqual([
      {
        consumer: 'warehouse',
        key: id,
        version: 1,
        payload: { shopId: id, name, ownerId: vendor.id },
      },
    ]);
  });

  it('change their name and slug, each alone, and not their currency', async () => {
    const { id, slug } = await create({ currencyCode: 'CHF' });
    expect(await update({ id, name: 'Renamed' })).toMatchObject({ name: 'Renamed', slug });
    const next = `next-${randomUUID()}`;
    await update({ id, slug: next });
    expect(await shopBy(`slug: "${next}"`)).toEqual({
      id,
      name: 'Renamed',
      slug: next,
      currencyCode: 'CHF',
    });
    await expect(update({ id, currencyCode: 'USD' })).rejects.toThrow('currencyCode');
  });

  it('are not changed to a taken or invalid slug, or by another vendor', async () => {
    const [one, other] = [await create(), await create()];
    const before = await shopBy(`id: "${one.id}"`);
    await expect(update({ id: one.id, slug: other.slug })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await expect(update({ id: one.id, slug: 'Not A Slug' })).rejects.toThrow('input.slug');
    await expect(update({ id: one.id, name: '' })).rejects.toThrow('input.name');
    const stranger = update({ id: one.id, name: 'Mine' }, otherVendor);
    await expect(stranger).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(update({ id: randomUUID(), name: 'X' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await shopBy(`id: "${one.id}"`)).toEqual(before);
    const admin = await logIn(system, 'ada');
    expect(await update({ id: one.id, name: 'By an admin' }, admin)).toMatchObject({
      name: 'By an admin',
    });
  });

  it('are found by beginnings of words in any order, in pages', async () => {
    const ids = [];
    for (const name of ['Café Zürich', 'Zürich Bikes (café inside)', 'Zürich Kafeteria', 'Bern']) {
      ids.push((await create({ name })).id);
    }
    const found = ids.slice(0, 2).reverse();
    expect(idsOf(await find('search: "zür café"'))).toEqual(found);
    const first = await find('first: 1, search: "Café"');
    expect(idsOf(first)).toEqual(found.slice(0, 1));
    const next = await find(`first: 1, search: "Café", after: "${first.pageInfo.endCursor}"`);
    expect(idsOf(next)).toEqual(found.slice(1));
    expect(next.pageInfo.hasNextPage).toBe(false);
    for (const search of ['no-such-word', '!?'])
      expect(idsOf(await find(`search: "${search}"`))).toEqual([]);
  });

  it('are found by words with combining marks', async () => {
    const { id } = await create({ name: 'हिन्दी दुकान' });
    expect(idsOf(await find('search: "दुका हिन्दी"'))).toEqual([id]);
    expect(idsOf(await find('search: "Cafe\u0301 Zürich"'))).toHaveLength(2);
  });

  it.each([
    [`search: "${'x'.repeat(101)}"`, 'at most 100'],
    ['first: 0', 'between 1 and 100'],
    ['after: "nonsense"', 'not a cursor'],
  ])('are not listed with %s', async (args, reason) => {
    await expect(find(args)).rejects.toThrow(reason);
  });

  it('have an owner who sees inactive offers, which others do not', async () => {
    const { shopId, sku, offerId } = await openShop(system, vendor, [1]);
    const list = async (person: Person) => {
      const query = 'query ($id: UUID!) { shop(id: $id) { offers { edges { node { id } } } } }';
      return idsOf((await ask(query, { id: shopId }, person)).shop.offers);
    };
    await ask('mutation ($input: SetOfferInput!) { setOffer(input: $input) { id } }', {
      input: { shopId, sku, price: '1.00', active: false },
    });
    expect(await list(vendor)).toEqual([offerId]);
    expect(await list(await logIn(system, 'ada'))).toEqual([offerId]);
    expect(await list(otherVendor)).toEqual([]);
    expect(await list({ id: '', token: '' })).toEqual([]);
  });
});
