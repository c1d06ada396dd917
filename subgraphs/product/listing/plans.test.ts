import type { EntityManager } from '@mikro-orm/postgresql';
import pg from 'pg';
import { rebuildProducts } from '../../../ops/rebuild/search.js';
import { type Catalogue, openCatalogue } from '../../../tests/harness/catalogue.js';
import { explain, faultsOf, nodesOfPlan, type PlanNode } from '../../../tests/harness/plans.js';
import { listProducts } from './list-products.js';
import { type ProductFilter, ProductSort } from './product-filter.js';

const id = (n: string) => `('01900000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const shop = '01900000-0000-7000-8000-000000000005';
const [top, leaf] = [1, 33].map(
  (n) => `01900000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`,
);

/** Of scans of whole tables only: at this size sorts and filters are cheap. */
const limits = {
  large: new Set(['product', 'product_variant', 'offer_listing', 'search_word']),
  sortedMax: Number.POSITIVE_INFINITY,
  filteredCostMax: Number.POSITIVE_INFINITY,
  costMax: Number.POSITIVE_INFINITY,
};

/** 10,000 products in 49 categories, 30,000 variants, some 67,000 offers of ten shops. */
const rows = [
  `insert into category (id, name, name_key, slug, parent_id)
   select ${id('n')}, 'Category ' || n, 'category ' || n, 'category-' || n, case when n > 9 then ${id('n % 9 + 1')} end
   from generate_series(1, 49) n`,
  `insert into product (id, name, slug, description, category_id, images, created_by_id)
   select ${id('n')},
     (array['Trail','Storm','Leather','Merino','Alpine','Urban','Classic','Nordic'])[n % 8 + 1] || ' ' ||
     (array['Shoe','Jacket','Boot','Fleece','Earbuds','Daypack','Duffel','Press','Knife','Watch','Sandal'])[n % 11 + 1],
     'product-' || n,
     'Made of ' || (array['cotton','wool','steel','rubber','bamboo'])[n % 5 + 1] || ', edition ' || n ||
       ' for every day, light to carry and easy to wash, with a warranty of two years. It comes in a' ||
       ' box of paper without plastic, and what is left of it after many years is taken back, as we' ||
       ' take back everything that we ever made. See the pictures for how it is worn and stored.',
     ${id('n % 49 + 1')}, '{}', ${id('1')}
   from generate_series(1, 10000) n`,
  `insert into product_variant (sku, product_id, name, options)
   select 'S' || n || '-' || v, ${id('n')}, 'variant ' || v, '[]'
   from generate_series(1, 10000) n, generate_series(1, 3) v`,
  `insert into offer_listing
     (shop_id, sku, product_id, offer_id, price_amount, currency_code, active, in_stock)
   select ${id('s')}, sku, product_id, gen_random_uuid(),
     (hashtext(product_id::text) & 16383) / 50.0 + (hashtext(sku || s) & 15), 'USD', true,
     (hashtext(sku || 'x' || s) & 7) > 0
   from product_variant, generate_series(1, 10) s where s <= 2 or (hashtext(sku || s) & 31) = 0`,
  `insert into listed_price
   select product_id, currency_code, min(price_amount), max(price_amount),
     min(price_amount) filter (where in_stock), max(price_amount) filter (where in_stock),
     min(price_amount) filter (where not in_stock), max(price_amount) filter (where not in_stock)
   from offer_listing where active group by product_id, currency_code`,
  'vacuum analyze offer_listing',
  'analyze',
];

describe('with 10,000 products, a list', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue();
    const client = new pg.Client({ connectionString: catalogue.url });
    await client.connect();
    for (const text of rows) await client.query(text);
    await rebuildProducts(catalogue.url);
    await client.query(`insert into search_word (word) select 'w' || md5(n::text)
      from generate_series(1, 50000) n`);
    await client.query('vacuum analyze product, search_word');
    await client.end();
  });
  afterAll(() => catalogue.close());

  /** An entity manager that records the plan of each statement that it runs. */
  function recordPlans() {
    const plans: PlanNode[] = [];
    const executeQuery = async ({ sql, parameters }: { sql: string; parameters: unknown[] }) => {
      plans.push(await explain(catalogue.query, { text: sql, values: parameters }));
      return { rows: await catalogue.query(sql, [...parameters]) };
    };
    const em = { getTransactionContext: () => ({ executeQuery }) } as unknown as EntityManager;
    return { em, plans };
  }

  const filters: Record<string, ProductFilter> = {
    'of everything': {},
    'of what is in stock': { inStock: true },
    'of a price range': { minPrice: '100', maxPrice: '120' },
    'of a shop': { shopId: shop },
    'of a category with others below it': { categoryId: top as string },
    'of a category': { categoryId: leaf as string },
    'of a category, a price range and in stock': {
      categoryId: top as string,
      minPrice: '50',
      maxPrice: '200',
      inStock: true,
    },
    'of a word': { search: 'shoe' },
    'of a word in stock': { search: 'shoe', inStock: true },
  };
  const cases = Object.entries(filters).flatMap(([name, filter]) =>
    Object.values(ProductSort).map((sort) => ({ name, sort, filter })),
  );

  it.each(cases)(
    '$name by $sort scans no whole table on the first or second page',
    async ({ filter, sort }) => {
      const { em, plans } = recordPlans();
      const { pageInfo } = await listProducts(em, { first: 20, filter, sort });
      expect(pageInfo.hasNextPage).toBe(true);
      await listProducts(em, { first: 20, filter, sort, after: pageInfo.endCursor });
      expect(plans.flatMap((plan) => faultsOf(plan, limits))).toEqual([]);
    },
  );

  it.each(Object.entries(filters).filter(([name]) => !/everything|word|category/.test(name)))(
    '%s is counted without reading products or scanning all offers',
    async (_, filter) => {
      const { em, plans } = recordPlans();
      const { count } = await listProducts(em, { first: 1, filter, sort: ProductSort.NEWEST });
      expect(await count()).toBeGreaterThan(100);
      const plan = plans.at(-1) as PlanNode;
      expect(nodesOfPlan(plan).map((node) => node['Relation Name'])).not.toContain('product');
      expect(faultsOf(plan, limits)).toEqual([]);
    },
  );

  it('of misspelled words finds similar ones by the index of words', async () => {
    const { em, plans } = recordPlans();
    const { edges } = await listProducts(em, {
      first: 20,
      filter: { search: 'leathr boott' },
      sort: ProductSort.RELEVANCE,
    });
    expect(edges[0]?.node.name).toBe('Leather Boot');
    const words = plans[0] as PlanNode;
    const indexes = nodesOfPlan(words).map((node) => node['Index Name']);
    expect(indexes).toEqual(expect.arrayContaining(['search_word_known', 'search_word_similar']));
    expect(faultsOf(words, limits)).toEqual([]);
  });
});
