import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';

const update = 'mutation ($input: UpdateProductInput!) { updateProduct(input: $input) { id } }';
const remove = 'mutation ($id: UUID!) { deleteProduct(id: $id) }';
const add = 'mutation ($input: AddVariantInput!) { addVariant(input: $input) { sku } }';

describe('a product', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const read = async (id: string) => {
    const { data } = await catalogue.ask(
      `query ($id: UUID!) { product(id: $id) {
         name slug description images category { id } createdBy { id } variants { sku } } }`,
      { id },
    );
    return data.product;
  };
  const change = (id: string, changes: object, who = catalogue.vendor) =>
    who(update, { input: { id, ...changes } });

  it('is changed by its creator in the given fields; its slug stays', async () => {
    const { id } = await catalogue.product({ images: ['https://a.example/1.jpg'] });
    const before = await read(id);
    const categoryId = await catalogue.category();
    const images = ['http://a.example/2.jpg', 'HTTPS://a.example/3.jpg'];
    await change(id, { name: 'New name', description: null, categoryId, images });
    const category = { id: categoryId };
    expect(await read(id)).toEqual({ ...before, name: 'New name', category, images });
    await change(id, { images: [] }, catalogue.admin);
    expect((await read(id)).images).toEqual([]);
  });

  it.each([
    ['an empty name', { name: '' }, 'input.name'],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, 'input.name'],
    ['an empty description', { description: '' }, 'input.description'],
    [
      'an unknown category',
      { categoryId: '0195c9a0-0000-7000-8000-000000000000' },
      'input.categoryId',
    ],
    ['a javascript: image URL', { images: ['javascript:alert(1)'] }, 'input.images'],
    ['an ftp: image URL', { images: ['ftp://a.example/x.jpg'] }, 'input.images'],
    ['an https: image URL without a host', { images: ['https:a.example'] }, 'input.images'],
    ['a relative image URL', { images: ['/x.jpg'] }, 'input.images'],
    ['21 images', { images: Array(21).fill('https://a.example/x.jpg') }, 'input.images'],
  ])('is not changed to %s', async (_, changes, field) => {
    const { id } = await catalogue.product();
    const before = await read(id);
    expect(await change(id, changes)).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] });
    expect(await read(id)).toEqual(before);
  });

  it('is not changed, deleted or extended by another vendor', async () => {
    const { id, sku } = await catalogue.product();
    const before = await read(id);
    const variant = { sku: 'THEIRS', name: 'theirs' };
    expect(await change(id, { name: 'Mine' }, catalogue.otherVendor)).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await catalogue.otherVendor(remove, { id })).toMatchObject({ code: 'FORBIDDEN' });
    const added = await catalogue.otherVendor(add, { input: { productId: id, variant } });
    expect(added).toMatchObject({ code: 'FORBIDDEN' });
    expect(await read(id)).toEqual({ ...before, variants: [{ sku }] });
  });

  it('is not found after it was deleted, but references to it resolve', async () => {
    const { id, sku, name } = await catalogue.product();
    const { slug } = await read(id);
    expect(await catalogue.vendor(remove, { id })).toMatchObject({ data: { deleteProduct: true } });

    expect(await read(id)).toBeNull();
    const { data } = await catalogue.ask(
      `query ($slug: String!, $sku: String!) {
         product(slug: $slug) { id } variant(sku: $sku) { sku }
         products(first: 100) { edges { node { id } } } }`,
      { slug, sku },
    );
    expect(data).toMatchObject({ product: null, variant: null });
    expect(data.products.edges).not.toContainEqual({ node: { id } });

    const referred = await catalogue.ask(
      `query ($of: [_Any!]!) { _entities(representations: $of) {
         ... on Product { name variants { sku } }
         ... on ProductVariant { name product { name category { name } } } } }`,
      {
        of: [
          { __typename: 'Product', id },
          { __typename: 'ProductVariant', sku },
        ],
      },
    );
    expect(referred.data._entities).toEqual([
      { name, variants: [] },
      { name: `the ${sku}`, product: { name, category: { name: expect.any(String) } } },
    ]);
  });

  it('cannot be changed, extended or deleted after it was deleted', async () => {
    const { id, sku } = await catalogue.product();
    await catalogue.vendor(remove, { id });
    const variant = { sku: 'LATE', name: 'late' };
    for (const reply of [
      await change(id, { name: 'Back' }),
      await catalogue.vendor(remove, { id }),
      await catalogue.vendor(add, { input: { productId: id, variant } }),
      await catalogue.vendor('mutation ($sku: String!) { removeVariant(sku: $sku) }', { sku }),
    ]) {
      expect(reply).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(await catalogue.query(`select from product_variant where sku = 'LATE'`)).toEqual([]);
  });

  it('enqueues one event for the shops for each of its variants when it is deleted', async () => {
    const { id, skus } = await catalogue.product({}, 3);
    const [removed] = skus;
    await catalogue.vendor('mutation ($sku: String!) { removeVariant(sku: $sku) }', {
      sku: removed,
    });
    await catalogue.vendor(remove, { id });
    const events = await catalogue.query(
      `select consumer, topic, key, version, payload from outbox where key = any($1) order by key`,
      [skus],
    );
    expect(events).toEqual(
      skus.map((sku) => {
        return {
          consumer: 'shop',
          topic: 'product.variant.removed',
          key: sku,
          version: 1,
          payload: { sku },
        };
      }),
    );
  });

  it('does not gain a variant while it is being deleted', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await catalogue.product();
      const variant = { sku: `RACE-${round}`, name: 'late' };
      await Promise.all([
        catalogue.vendor(remove, { id }),
        catalogue.vendor(add, { input: { productId: id, variant } }),
      ]);
    }
    const left = await catalogue.query(
      `select sku from product_variant join product on product.id = product_id
       where product.deleted_at is not null and product_variant.deleted_at is null`,
    );
    expect(left).toEqual([]);
  });

  it.each([
    ['an empty name', `update product set name = ''`],
    ['an empty description', `update product set description = ''`],
    ['image without a web URL', `update product set images = '{data:image/png}'`],
    ['image that is null', `update product set images = '{null}'`],
    ['unknown category', `update product set category_id = gen_random_uuid()`],
  ])('cannot have in the database: %s', async (_, change) => {
    await catalogue.product();
    await expect(catalogue.query(change)).rejects.toThrow(/violates/);
  });
});
