import pg from 'pg';
import type { SubgraphName } from '../../ops/subgraph-names.js';
import { isBroken, report, verify } from '../../ops/verify/verify.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { databaseSchema } from '../../subgraphs/warehouse/mikro-orm.config.js';
import { stockAt } from '../../subgraphs/warehouse/stock/stock-at.js';
import { createAllTestDatabases } from '../../tests/harness/databases.js';
import { contentsOf } from '../../tests/rights/contents.js';
import { catalogueOf } from './catalogue.js';
import { createProgress } from './progress.js';
import { seedStore } from './store.js';

interface Level {
  readonly shopId: string;
  readonly warehouseId: string;
  readonly sku: string;
  readonly onHand: number;
  readonly at: string;
  readonly updatedAt: string;
}

const withoutTimes = ['created_at', 'updated_at', 'password_hash'];

describe('the seed', () => {
  let databases: Awaited<ReturnType<typeof createAllTestDatabases>>;
  beforeEach(async () => {
    databases = await createAllTestDatabases();
  });
  afterEach(() => databases.drop());

  async function rowsOf<T extends object>(of: SubgraphName, query: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: databases.urls[of] });
    await client.connect();
    return (await client.query<T>(query).finally(() => client.end())).rows;
  }
  /** Users, offers and levels without their times and password hashes. */
  async function stateOf() {
    const ofTable = (table: string) =>
      `select (to_jsonb(t) - array['${withoutTimes.join("','")}'])::text as row from ${table} t order by 1`;
    const [users, offers, levels] = [
      await rowsOf<{ row: string }>('user', ofTable('user_account')),
      await rowsOf<{ row: string }>('shop', ofTable('offer')),
      await rowsOf<{ row: string }>('warehouse', ofTable('stock_level')),
    ];
    return [...users, ...offers, ...levels].map(({ row }) => row);
  }

  it('creates the demo store alone when no size is given', async () => {
    expect(await seedStore(databases.urls)).toBe(catalogueOf(0).variants.length);
    expect(await rowsOf('shop', 'select count(*)::int as count from shop')).toEqual([{ count: 3 }]);
    expect(await rowsOf('user', 'select count(*)::int as count from user_account')).toEqual([
      { count: 5 },
    ]);
  });

  it('links the pictures of the demo products at the router, and leaves those of other products out', async () => {
    await seedStore(databases.urls, 100, { storeUrl: 'https://shop.example:8443' });
    const products = await rowsOf<{ slug: string; images: string[] }>(
      'product',
      'select slug, images from product',
    );
    const linked = new Map(products.map(({ slug, images }) => [slug, images]));
    for (const { slug, isDemo } of catalogueOf(100).products) {
      const expected = isDemo ? [`https://shop.example:8443/assets/pictures/${slug}.svg`] : [];
      expect([slug, linked.get(slug)]).toEqual([slug, expected]);
    }
  });

  it('moves seeded picture links to the present address, and leaves those that a vendor changed', async () => {
    const imagesNow = () =>
      rowsOf<{ slug: string; images: string[]; updated_at: Date }>(
        'product',
        `select slug, images, updated_at from product
         where slug in ('trail', 'hiker', 'slide', 'storm', 'knife') order by slug`,
      );
    const linkOf = (slug: string, base: string) => `${base}/assets/pictures/${slug}.svg`;
    const former = 'http://localhost:4000';
    await seedStore(databases.urls);
    await rowsOf(
      'product',
      `update product set images = case slug
         when 'hiker' then array['https://images.example.com/hiker.jpg']
         when 'slide' then array['${linkOf('slide', former)}', 'https://vera.example/2.jpg']
         when 'storm' then array['${linkOf('trail', former)}']
         else array['https://vera.example/knife.svg'] end
       where slug in ('hiker', 'slide', 'storm', 'knife')`,
    );
    const present = 'https://localhost:5000';
    await seedStore(databases.urls, 0, { storeUrl: present });
    const moved = await imagesNow();
    expect(moved.map(({ slug, images }) => [slug, images])).toEqual([
      ['hiker', [linkOf('hiker', present)]],
      ['knife', ['https://vera.example/knife.svg']],
      ['slide', [linkOf('slide', former), 'https://vera.example/2.jpg']],
      ['storm', [linkOf('trail', former)]],
      ['trail', [linkOf('trail', present)]],
    ]);
    await seedStore(databases.urls, 0, { storeUrl: present });
    // An unknown address moves none.
    await seedStore(databases.urls);
    expect(await imagesNow()).toEqual(moved);
  });

  it('shows the units of each level at the time of its first movement', async () => {
    await seedStore(databases.urls);
    const name = 'warehouse';
    const orm = await connect({ name, url: databases.urls.warehouse, poolMax: 1 }, databaseSchema);
    const levels = await orm.em.getConnection().execute<Level[]>(
      `select l.shop_id as "shopId", l.warehouse_id as "warehouseId", l.sku, m.on_hand as "onHand",
         m.created_at as at, l.updated_at as "updatedAt"
       from stock_level l join stock_movement m on m.shop_id = l.shop_id and m.level_id = l.id`,
    );
    const shown: number[] = [];
    for (const { at, ...level } of levels) {
      // A client sends the time that it was shown, in milliseconds.
      const { onHand } = await stockAt(orm.em.fork(), { ...level, at: new Date(at) });
      shown.push(onHand);
    }
    await orm.close();
    expect(shown.length).toBeGreaterThan(50);
    expect(shown).toEqual(levels.map(({ onHand }) => onHand));
    expect(levels.map(({ updatedAt }) => updatedAt)).toEqual(levels.map(({ at }) => at));
  });

  it('creates the same rows each time, and more of them for a larger store', async () => {
    await seedStore(databases.urls, 100);
    const small = await stateOf();
    const contents = await contentsOf(databases.urls);
    await seedStore(databases.urls, 100);
    expect(await contentsOf(databases.urls)).toEqual(contents);

    const other = await createAllTestDatabases();
    await seedStore(other.urls, 400);
    await databases.drop();
    databases = other;
    const large = new Set(await stateOf());
    expect(small.filter((row) => !large.has(row))).toEqual([]);
    expect(large.size).toBeGreaterThan(2 * small.length);
  });

  it('creates a store that is consistent across the subgraphs', async () => {
    const variants = await seedStore(databases.urls, 1000);
    expect(variants).toBeGreaterThanOrEqual(1000);
    const verdicts = await verify(databases.urls);
    if (isBroken(verdicts)) throw new Error(report(verdicts));

    const skusOf = async (of: SubgraphName, table: string) =>
      (await rowsOf<{ sku: string }>(of, `select distinct sku from ${table} order by sku`)).map(
        ({ sku }) => sku,
      );
    const skus = await skusOf('product', 'product_variant');
    expect(skus).toHaveLength(variants);
    expect(await skusOf('shop', 'offer')).toEqual(skus);
    expect(await skusOf('warehouse', 'stock_level')).toEqual(skus);
    const [stock] = await rowsOf<Record<string, number>>(
      'warehouse',
      `select count(*) filter (where on_hand = 0)::int as empty,
         count(*) filter (where is_low_stock and on_hand > 0)::int as low, count(*)::int as all,
         (select max(n)::int from (select count(*) as n from warehouse group by shop_id) w) as places
       from stock_level`,
    );
    expect(stock?.empty).toBeGreaterThan(0);
    expect(stock?.low).toBeGreaterThan(0);
    expect((stock?.empty ?? 0) + (stock?.low ?? 0)).toBeLessThan((stock?.all ?? 0) / 2);
    expect(stock?.places).toBeGreaterThan(2);
  });

  it('has a unique name, sku and slug for each of twenty thousand products', () => {
    const { products, variants } = catalogueOf(100_000);
    for (const names of [
      products.map(({ name }) => name),
      products.map(({ slug }) => slug),
      variants.map(({ sku }) => sku),
    ]) {
      expect(new Set(names).size).toBe(names.length);
    }
    expect(variants.filter(({ sku }) => !/^[\w.-]{1,64}$/.test(sku))).toEqual([]);
  });

  it('draws its progress on a terminal, and nothing elsewhere', () => {
    const drawnOn = (isTTY: boolean) => {
      let drawn = '';
      const stream = { isTTY, write: (text: string) => (drawn += text) };
      const progress = createProgress(200, stream as never);
      progress.add(50);
      progress.add(150);
      progress.end();
      return drawn;
    };
    expect(drawnOn(true)).toMatch(/ 25 % {2}50 of 200 rows.* 100 % {2}200 of 200 rows.*\r/s);
    expect(drawnOn(false)).toBe('');
  });
});
