import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';

const update = 'mutation ($input: UpdateVariantInput!) { updateVariant(input: $input) { sku } }';
const remove = 'mutation ($sku: String!) { removeVariant(sku: $sku) }';
const add = 'mutation ($input: AddVariantInput!) { addVariant(input: $input) { sku } }';

describe('a variant', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const read = async (sku: string) => {
    const { data } = await catalogue.ask(
      'query ($sku: String!) { variant(sku: $sku) { name options { name value } product { id } } }',
      { sku },
    );
    return data.variant;
  };
  const variantsOf = async (id: string) => {
    const { data } = await catalogue.ask(
      'query ($id: UUID!) { product(id: $id) { variants { sku } } }',
      { id },
    );
    return data.product.variants.map(({ sku }: { sku: string }) => sku);
  };

  it('is added with its options, and changed in the given fields', async () => {
    const { id: productId, sku: first } = await catalogue.product();
    const options = [
      { name: 'size', value: 'L' },
      { name: 'colour', value: 'black' },
    ];
    await catalogue.vendor(add, {
      input: { productId, variant: { sku: 'L-BLACK', name: 'L', options } },
    });
    expect(await variantsOf(productId)).toEqual(['L-BLACK', first]);
    await catalogue.vendor(update, { input: { sku: 'L-BLACK', name: 'Large' } });
    const product = { id: productId };
    expect(await read('L-BLACK')).toEqual({ name: 'Large', options, product });
    await catalogue.admin(update, { input: { sku: 'L-BLACK', options: [], name: null } });
    expect(await read('L-BLACK')).toEqual({ name: 'Large', options: [], product });
  });

  it.each([
    ['an empty name', { name: '' }, 'input.name'],
    ['an empty option', { options: [{ name: 'size', value: '' }] }, 'input.options[0].value'],
    [
      'two sizes',
      {
        options: [
          { name: 'size', value: 'L' },
          { name: 'size', value: 'M' },
        ],
      },
      'input.options',
    ],
    [
      '21 options',
      { options: Array.from({ length: 21 }, (_, n) => ({ name: `${n}`, value: 'x' })) },
      'input.options',
    ],
  ])('is not changed to %s', async (_, changes, field) => {
    const { sku } = await catalogue.product();
    const before = await read(sku);
    const reply = await catalogue.vendor(update, { input: { sku, ...changes } });
    expect(reply).toMatchObject({ code: 'BAD_USER_INPUT', fields: [field] });
    expect(await read(sku)).toEqual(before);
  });

  it('is neither changed nor removed by another vendor', async () => {
    const { sku } = await catalogue.product();
    const before = await read(sku);
    const changed = await catalogue.otherVendor(update, { input: { sku, name: 'Mine' } });
    expect(changed).toMatchObject({ code: 'FORBIDDEN' });
    expect(await catalogue.otherVendor(remove, { sku })).toMatchObject({ code: 'FORBIDDEN' });
    expect(await read(sku)).toEqual(before);
  });

  it('that was removed is not found, its siblings stay, and its sku is never reused', async () => {
    const { id, skus } = await catalogue.product({}, 2);
    const [sku, sibling] = skus as [string, string];
    await catalogue.vendor(remove, { sku });
    expect(await read(sku)).toBeNull();
    expect(await variantsOf(id)).toEqual([sibling]);
    for (const reply of [
      await catalogue.vendor(update, { input: { sku, name: 'Back' } }),
      await catalogue.vendor(remove, { sku }),
    ]) {
      expect(reply).toMatchObject({ code: 'NOT_FOUND' });
    }
    const again = { input: { productId: id, variant: { sku, name: 'again' } } };
    expect(await catalogue.vendor(add, again)).toMatchObject({ code: 'CONFLICT' });
  });

  it('that was removed is resolved for references, but not for shops and warehouses', async () => {
    const { sku } = await catalogue.product();
    await catalogue.vendor(remove, { sku });
    const query = `query ($of: [_Any!]!) {
      _entities(representations: $of) { ... on ProductVariant { name } } }`;
    const found = async (caller: 'router' | 'shop' | 'warehouse') => {
      const { data } = await catalogue.askAs(caller, query, {
        of: [{ __typename: 'ProductVariant', sku }],
      });
      return data._entities;
    };
    expect(await found('router')).toEqual([{ name: `the ${sku}` }]);
    expect(await found('shop')).toEqual([null]);
    expect(await found('warehouse')).toEqual([null]);
  });

  it('is refused when its product has a hundred already', async () => {
    const { id: productId, skus } = await catalogue.product({}, 100);
    const variant = { sku: 'ONE-TOO-MANY', name: 'more' };
    expect(await catalogue.vendor(add, { input: { productId, variant } })).toMatchObject({
      code: 'CONFLICT',
    });
    await catalogue.vendor(remove, { sku: skus[0] });
    expect(await catalogue.vendor(add, { input: { productId, variant } })).toMatchObject({
      code: undefined,
    });
  });
});
