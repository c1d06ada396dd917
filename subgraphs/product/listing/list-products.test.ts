import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';
import { newId } from '../../shared/ids.js';
import { ProductSort } from './product-filter.js';

const query = `query ($first: Int!, $after: String, $filter: ProductFilter, $sort: ProductSort!) {
  products(first: $first, after: $after, filter: $filter, sort: $sort) {
    edges { cursor node { id name } } pageInfo { hasNextPage endCursor } totalCount } }`;

interface Args {
  readonly first?: number;
  readonly after?: string;
  readonly filter?: object;
  readonly sort?: string;
}

describe('a list of products', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
  });
  afterAll(() => catalogue.close());

  const ask = (args: Args) => catalogue.ask(query, { first: 100, sort: 'NEWEST', ...args });
  const list = async (args: Args) => {
    const { data, code } = await ask(args);
    if (code) throw new Error(code);
    const { edges, pageInfo, totalCount } = data.products;
    const names: string[] = edges.map(({ node }: { node: { name: string } }) => node.name);
    return { names, endCursor: pageInfo.endCursor, hasNextPage: pageInfo.hasNextPage, totalCount };
  };
  /** Reads a list to its end, page by page; `between` runs after each page. */
  const walk = async (args: Args, between: (page: number) => Promise<unknown> = async () => {}) => {
    const names: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < 50; page++) {
      const read = await list({ ...args, ...(after && { after }) });
      names.push(...read.names);
      if (!read.hasNextPage) return names;
      after = read.endCursor;
      await between(page);
    }
    throw new Error('the list does not end');
  };

  /** Products A, b, C, … in a new category, each with one offer at its price, or none. */
  async function categoryWithProducts(prices: readonly (string | null)[], fields: object = {}) {
    const categoryId = await catalogue.category();
    const products = [];
    for (const [n, price] of prices.entries()) {
      const letter = String.fromCharCode(65 + n);
      const name = n % 2 === 0 ? letter : letter.toLowerCase();
      const product = await catalogue.product({
        name,
        description: 'kettle',
        categoryId,
        ...fields,
      });
      if (price !== null) await catalogue.offer(product.sku, { price });
      products.push(product);
    }
    return { categoryId, products, filter: { categoryId } };
  }

  it('has every product in the requested order, in pages of any size', async () => {
    const { filter } = await categoryWithProducts([
      '30.00',
      '9.50',
      '30.00',
      null,
      '100.00',
      null,
      '0.00',
    ]);
    const orders = {
      NEWEST: ['G', 'f', 'E', 'd', 'C', 'b', 'A'],
      NAME: ['A', 'b', 'C', 'd', 'E', 'f', 'G'],
      PRICE_ASC: ['G', 'b', 'A', 'C', 'E', 'f', 'd'],
      PRICE_DESC: ['E', 'C', 'A', 'b', 'G', 'f', 'd'],
      RELEVANCE: ['G', 'f', 'E', 'd', 'C', 'b', 'A'],
    };
    for (const [sort, names] of Object.entries(orders)) {
      for (const first of [1, 2, 3, 7, 100]) {
        expect({ sort, first, names: await walk({ sort, first, filter }) }).toEqual({
          sort,
          first,
          names,
        });
      }
    }
  });

  it.each(Object.values(ProductSort))(
    'by %s shows each product once while others are added and deleted',
    async (sort) => {
      const { filter, categoryId, products } = await categoryWithProducts(Array(12).fill('5.00'));
      const search = { ...filter, search: 'kettle' };
      const added: string[] = [];
      const names = await walk({ sort, first: 3, filter: search }, async (page) => {
        const fields = { name: `new ${page}`, description: 'kettle', categoryId };
        added.push(fields.name);
        const { sku } = await catalogue.product(fields);
        await catalogue.offer(sku, { price: page % 2 === 0 ? '1.00' : '9.00' });
        const gone = products[page === 0 ? 0 : 11];
        await catalogue.vendor('mutation ($id: UUID!) { deleteProduct(id: $id) }', {
          id: gone?.id,
        });
      });
      const there = products.slice(1, 11).map(({ name }) => name);
      expect(names.filter((name) => there.includes(name)).sort()).toEqual([...there].sort());
      expect(new Set(names).size).toBe(names.length);
    },
  );

  it('has at least 1 and at most 100 products on a page', async () => {
    for (const first of [0, -1, 101]) {
      expect(await ask({ first })).toMatchObject({ code: 'BAD_USER_INPUT', fields: ['first'] });
    }
  });

  it('refuses an invalid cursor, and one of another order', async () => {
    const { filter } = await categoryWithProducts(['1.00', '2.00']);
    const cursors = new Map<string, string>();
    for (const sort of Object.values(ProductSort)) {
      const search = { ...filter, search: 'kettle' };
      cursors.set(sort, (await list({ sort, first: 1, filter: search })).endCursor);
    }
    const id = newId();
    const withoutVersion = (cursor: string) => {
      const [, ...place] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
      return [place, [2, ...place]];
    };
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const sort of Object.values(ProductSort)) {
      const others = [...cursors].filter(([name]) => name !== sort).map(([, cursor]) => cursor);
      const bad = [
        '',
        'nonsense',
        encode(null),
        encode([1, sort]),
        encode([1, sort, null, 'nonsense']),
        encode([1, sort, 7, id]),
        encode([1, sort, {}, id]),
        encode([1, sort, "'; drop table product; --", "' or true"]),
        encode([1, sort, 'a\0b', id]),
        ...(sort === 'NEWEST' || sort.startsWith('PRICE') ? [] : [encode([1, sort, null, id])]),
        ...withoutVersion(cursors.get(sort) as string).map(encode),
      ];
      for (const after of [...others, ...bad]) {
        const reply = await ask({ sort, filter: { ...filter, search: 'kettle' }, after });
        expect({ sort, after, code: reply.code, fields: reply.fields }).toEqual({
          sort,
          after,
          code: 'BAD_USER_INPUT',
          fields: ['after'],
        });
      }
    }
  });

  it('counts the products of all pages, the same in every order', async () => {
    const { filter } = await categoryWithProducts(['1.00', null, '3.00']);
    for (const sort of Object.values(ProductSort)) {
      expect(await list({ sort, first: 1, filter })).toMatchObject({ totalCount: 3 });
      const cheap = { ...filter, maxPrice: '2.00' };
      expect(await list({ sort, first: 1, filter: cheap })).toMatchObject({
        names: ['A'],
        totalCount: 1,
      });
    }
  });

  it('of a category includes the products of the categories below it', async () => {
    const top = await catalogue.category();
    const middle = await catalogue.category(top);
    const bottom = await catalogue.category(middle);
    await catalogue.product({ name: 'in the middle', categoryId: middle });
    await catalogue.product({ name: 'at the bottom', categoryId: bottom });
    await catalogue.product({ name: 'elsewhere', categoryId: await catalogue.category() });
    for (const [categoryId, names] of [
      [top, ['at the bottom', 'in the middle']],
      [middle, ['at the bottom', 'in the middle']],
      [bottom, ['at the bottom']],
      [newId(), []],
    ] as const) {
      expect((await list({ filter: { categoryId } })).names).toEqual(names);
    }
  });

  describe('filtered by offers', () => {
    it('has products of which one offer satisfies all conditions, not two offers together', async () => {
      const { filter, products } = await categoryWithProducts([null, null, null]);
      const [near, other, whole] = products.map(({ sku }) => sku) as [string, string, string];
      const shopId = newId();
      // One offer is cheap, another in stock, a third of the shop.
      await catalogue.offer(near, { price: '5.00', inStock: false });
      await catalogue.offer(near, { price: '50.00', inStock: true });
      await catalogue.offer(near, { price: '5.00', inStock: true, currencyCode: 'EUR' });
      await catalogue.offer(near, { price: '50.00', inStock: false, shopId });
      await catalogue.offer(other, { price: '5.00', inStock: true, active: false, shopId });
      await catalogue.offer(whole, { price: '5.00', inStock: true, shopId });
      const conditions = {
        ...filter,
        minPrice: '1',
        maxPrice: '10.5',
        currencyCode: 'USD',
        inStock: true,
        shopId,
      };
      for (const sort of Object.values(ProductSort)) {
        expect(await list({ sort, filter: conditions })).toMatchObject({
          names: ['C'],
          totalCount: 1,
        });
      }
    });

    it('compares prices only in the given currency, or in USD', async () => {
      const { filter, products } = await categoryWithProducts(['5.00', null]);
      await catalogue.offer(products[1]?.sku as string, { price: '5.00', currencyCode: 'EUR' });
      expect((await list({ filter: { ...filter, maxPrice: '9' } })).names).toEqual(['A']);
      expect((await list({ filter: { ...filter, currencyCode: 'EUR' } })).names).toEqual(['b']);
      const euros = { ...filter, minPrice: '5.00', maxPrice: '5.00', currencyCode: 'EUR' };
      expect((await list({ filter: euros })).names).toEqual(['b']);
      expect((await list({ sort: 'PRICE_ASC', filter })).names).toEqual(['A', 'b']);
    });

    it('is in the order of the prices that satisfy the filter', async () => {
      const { filter, products } = await categoryWithProducts(['1.00', '20.00']);
      const shopId = newId();
      await catalogue.offer(products[0]?.sku as string, { price: '30.00', shopId });
      await catalogue.offer(products[1]?.sku as string, { price: '25.00', shopId });
      expect((await list({ sort: 'PRICE_ASC', filter })).names).toEqual(['A', 'b']);
      const ofShop = { ...filter, shopId };
      expect((await list({ sort: 'PRICE_ASC', filter: ofShop })).names).toEqual(['b', 'A']);
      expect((await list({ sort: 'PRICE_DESC', filter: ofShop })).names).toEqual(['A', 'b']);
      const expensive = { ...filter, minPrice: '22' };
      expect((await list({ sort: 'PRICE_ASC', filter: expensive })).names).toEqual(['b', 'A']);
    });

    it('has a product once, at its cheapest offer, however many offers it has', async () => {
      const categoryId = await catalogue.category();
      for (const [name, prices] of [
        ['wide', ['1.00', '1.00', '40.00', '90.00']],
        ['middle', ['20.00', '30.00']],
      ] as const) {
        const { skus } = await catalogue.product({ name, categoryId }, 2);
        for (const price of prices) for (const sku of skus) await catalogue.offer(sku, { price });
      }
      const filter = { categoryId };
      expect(await walk({ sort: 'PRICE_ASC', first: 1, filter })).toEqual(['wide', 'middle']);
      expect(await walk({ sort: 'PRICE_DESC', first: 1, filter })).toEqual(['middle', 'wide']);
    });

    it('is the same whether it sorts a few matches or scans all offers', async () => {
      const shopId = newId();
      const { filter, products } = await categoryWithProducts(['3.00', '1.00', '2.00']);
      for (const [n, { sku }] of products.entries()) {
        await catalogue.offer(sku, { shopId, price: `${9 - n}.00` });
      }
      for (const sort of ['PRICE_ASC', 'PRICE_DESC']) {
        const few = await walk({ sort, first: 1, filter: { ...filter, shopId } });
        expect(await walk({ sort, first: 1, filter: { shopId } })).toEqual(few);
        expect([...few].sort()).toEqual(['A', 'C', 'b']);
      }
    });

    it('follows the events of the shop and warehouse subgraphs', async () => {
      const { filter, products } = await categoryWithProducts([null]);
      const sku = products[0]?.sku as string;
      const inStock = async () => (await list({ filter: { ...filter, inStock: true } })).names;
      const offer = await catalogue.offer(sku, { inStock: false });
      expect(await inStock()).toEqual([]);
      const stock = { shopId: offer.shopId, sku, inStock: true };
      await catalogue.deliver('warehouse', {
        topic: 'warehouse.stock.changed',
        version: 2,
        payload: stock,
      });
      expect(await inStock()).toEqual(['A']);
      const ended = { ...offer, active: false };
      await catalogue.deliver('shop', { topic: 'shop.offer.changed', version: 2, payload: ended });
      expect(await inStock()).toEqual([]);
    });

    it.each([
      ['a price below 0', { minPrice: '-1' }],
      ['three decimals', { maxPrice: '1.005' }],
      ['a currency of four letters', { currencyCode: 'EURO' }],
      ['a currency in lower case', { currencyCode: 'usd' }],
      ['a range that ends before it begins', { minPrice: '10', maxPrice: '9.99' }],
      ['a search of 201 characters', { search: 'x'.repeat(201) }],
    ])('refuses %s', async (_, filter) => {
      expect(await ask({ filter })).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [expect.any(String)],
      });
    });
  });

  it('of each of many categories is read in one statement, and so are their counts', async () => {
    const categories: string[] = [];
    for (let n = 0; n < 3; n++) {
      const categoryId = await catalogue.category();
      categories.push(categoryId);
      for (let m = 0; m <= n; m++) await catalogue.product({ name: `${n} ${m}`, categoryId });
    }
    const statements = catalogue.countStatements();
    const { data } = await catalogue.ask(
      `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Category {
         products(first: 2) { edges { node { name } } pageInfo { hasNextPage endCursor } totalCount } } } }`,
      { of: categories.map((id) => ({ __typename: 'Category', id })) },
    );
    expect(statements()).toBe(3);
    const pages = data._entities.map(({ products }: { products: object }) => products);
    expect(pages).toMatchObject([
      { edges: [{ node: { name: '0 0' } }], totalCount: 1, pageInfo: { hasNextPage: false } },
      { edges: [{ node: { name: '1 1' } }, { node: { name: '1 0' } }], totalCount: 2 },
      {
        edges: [{ node: { name: '2 2' } }, { node: { name: '2 1' } }],
        totalCount: 3,
        pageInfo: { hasNextPage: true },
      },
    ]);
    const rest = await catalogue.ask(
      `query ($of: [_Any!]!, $after: String) { _entities(representations: $of) { ... on Category {
         products(first: 2, after: $after) { edges { node { name } } } } } }`,
      { of: [{ __typename: 'Category', id: categories[2] }], after: pages[2].pageInfo.endCursor },
    );
    expect(rest.data._entities[0].products.edges).toEqual([{ node: { name: '2 0' } }]);
  });

  it('with variants and categories takes as many statements for 1 product as for 20, and counts only when requested', async () => {
    await categoryWithProducts(Array(20).fill(null));
    const cost = async (first: number) => {
      const statements = catalogue.countStatements();
      await catalogue.ask(
        'query ($first: Int!) { products(first: $first) { edges { node { name category { name } variants { sku product { name } } } } } }',
        { first },
      );
      return statements();
    };
    expect([await cost(1), await cost(20)]).toEqual([4, 4]);
  });
});
