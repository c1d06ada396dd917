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

  const shown = async (id: string) => {
    const { data } = await catalogue.ask(
      `query ($id: UUID!) { product(id: $id) {
         name slug description images category { id } createdBy { id } variants { sku } } }`,
      { id },
    );
    return data.product;
  };
  const updated = (id: string, changes: object, who = catalogue.vendor) =>
    who(update, { input: { id, ...changes } });

  it('is changed by who made it, in what is named; its slug stays', async () => {
    const { id } = await catalogue.product({ images: ['https://a.example/1.jpg'] });
    const before = await shown(id);
    const categoryId = await catalogue.category();
    const images = ['http://a.example/2.jpg', 'HTTPS://a.example/3.jpg'];
    await updated(id, { name: 'New name', description: null, categoryId, images });
    const category = { id: categoryId };
    expect(await shown(id)).toEqual({ ...before, name: 'New name', category, images });
    await updated(id, { images: [] }, catalogue.admin);
    expect((await shown(id)).images).toEqual([]);
  });

  it.each([
    ['a name of nothing', { name: '' }, 'input.name'],
    ['a name of 256 characters', { name: 'x'.repeat(256) }, 'input.name'],
    ['a description of nothing', { description: '' }, 'input.description'],
    [
      'an unknown category',
      { categoryId: '0195c9a0-0000-7000-8000-000000000000' },
      'input.categoryId',
    ],
    ['a picture at javascript:', { images: ['javascript:alert(1)'] }, 'input.images'],
    ['a picture at ftp:', { images: ['ftp://a.example/x.jpg'] }, 'input.images'],
    ['a picture at https: without a host', { images: ['https:a.example'] }, 'input.images'],
    ['a picture with a relative address', { images: ['/x.jpg'] }, 'input.images'],
    ['21 pictures', { images: Array(21).fill('https://a.example/x.jpg') }, 'input.images'],
  ])('is not changed to %s', async (_, changes, field) => {
    const { id } = await catalogue.product();
    const before = await shown(id);
    expect(await updated(id, changes)).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] });
    expect(await shown(id)).toEqual(before);
  });

  it('is neither changed nor deleted by another vendor, nor given variants', async () => {
    const { id, sku } = await catalogue.product();
    const before = await shown(id);
    const variant = { sku: 'THEIRS', name: 'theirs' };
    expect(await updated(id, { name: 'Mine' }, catalogue.otherVendor)).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await catalogue.otherVendor(remove, { id })).toMatchObject({ code: 'FORBIDDEN' });
    const added = await catalogue.otherVendor(add, { input: { productId: id, variant } });
    expect(added).toMatchObject({ code: 'FORBIDDEN' });
    expect(await shown(id)).toEqual({ ...before, variants: [{ sku }] });
  });

  it('is not found once it is deleted, but still there for those who refer to it', async () => {
    const { id, sku, name } = await catalogue.product();
    const { slug } = await shown(id);
    expect(await catalogue.vendor(remove, { id })).toMatchObject({ data: { deleteProduct: true } });

    expect(await shown(id)).toBeNull();
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

  it('cannot be changed, extended or deleted once it is deleted', async () => {
    const { id, sku } = await catalogue.product();
    await catalogue.vendor(remove, { id });
    const variant = { sku: 'LATE', name: 'late' };
    for (const reply of [
      await updated(id, { name: 'Back' }),
      await catalogue.vendor(remove, { id }),
      await catalogue.vendor(add, { input: { productId: id, variant } }),
      await catalogue.vendor('mutation ($sku: String!) { removeVariant(sku: $sku) }', { sku }),
    ]) {
      expect(reply).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(await catalogue.query(`select from product_variant where sku = 'LATE'`)).toEqual([]);
  });

  it('tells the shops of each variant it had when it is deleted, once', async () => {
    const { id, skus } = await catalogue.product({}, 3);
    const [removed] = skus;
    await catalogue.vendor('mutation ($sku: String!) { removeVariant(sku: $sku) }', {
      sku: removed,
    });
    await catalogue.vendor(remove, { id });
    const told = await catalogue.query(
      `select consumer, topic, key, version, payload from outbox where key = any($1) order by key`,
      [skus],
    );
    expect(told).toEqual(
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

  it('does not gain a variant while it is deleted', async () => {
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
    ['a name of nothing', `update product set name = ''`],
    ['a description of nothing', `update product set description = ''`],
    ['a picture that has no web address', `update product set images = '{data:image/png}'`],
    ['a picture that is null', `update product set images = '{null}'`],
    ['a category that is not there', `update product set category_id = gen_random_uuid()`],
  ])('has in the database itself no %s', async (_, change) => {
    await catalogue.product();
    await expect(catalogue.query(change)).rejects.toThrow(/violates/);
  });
});
