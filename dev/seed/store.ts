import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { rebuildProjections } from '../../ops/rebuild/projections.js';
import { indexNewProducts } from '../../ops/rebuild/search.js';
import { foldCase } from '../../subgraphs/shared/text/fold.js';
import { slugOf } from '../../subgraphs/shared/text/slug.js';
import { offerWords, shopWords } from '../../subgraphs/shop/search.js';
import { movementId } from '../../subgraphs/warehouse/stock/movement-id.js';
import { type Catalogue, catalogueOf } from './catalogue.js';
import { chance } from './chance.js';
import { categories } from './demo-store.js';
import { defaultStoreUrl } from './demo-variables.js';
import { seedId } from './ids.js';
import { userRows } from './people.js';
import { movePictures, picturesOf } from './pictures.js';
import { analyze, each, insertRows, type TableRows } from './rows.js';
import {
  levelsOf,
  offersOf,
  priceOf,
  type StoreOffer,
  type StoreShop,
  shopsOf,
} from './sellers.js';
import { subcategories } from './words.js';

interface Progress {
  add(count: number): void;
  end(): void;
}
const noProgress: Progress = { add: () => {}, end: () => {} };

interface SeedOptions {
  /** address of the router, which serves the pictures of the demo products; null if it is not known */
  readonly storeUrl?: string | null;
  /** creates the progress display for a number of rows */
  readonly progressOf?: (rows: number) => Progress;
}

/**
 * Fills the databases with the demo store, or with a store of at least `variantsMin` variants. The rows are
 * the same each time, and a larger store contains those of a smaller one. Existing rows stay as they are, except
 * picture links of demo products that were seeded for another address than `storeUrl`.
 *
 * @returns the number of variants
 */
export async function seedStore(
  urls: DatabaseUrls,
  variantsMin = 0,
  { storeUrl = null, progressOf = () => noProgress }: SeedOptions = {},
): Promise<number> {
  const catalogue = catalogueOf(variantsMin);
  const isLarge = catalogue.products.some(({ isDemo }) => !isDemo);
  const shops = shopsOf(isLarge);
  const offers = [...offersOf(shops, catalogue.variants)];
  const users = await userRows(catalogue.variants.length, isLarge);
  const progress = progressOf(countRows(catalogue, offers, users.length));
  const insert = (url: string, tables: TableRows[]) => insertRows(url, tables, progress.add);
  try {
    await Promise.all([
      insert(urls.user, [{ table: 'user_account', rows: users }]),
      insert(urls.product, productTables(catalogue, isLarge, storeUrl ?? defaultStoreUrl)),
      insert(urls.shop, shopTables(shops, offers)),
      insert(urls.warehouse, warehouseTables(shops, offers)),
    ]);
    if (storeUrl) await movePictures(urls.product, storeUrl);
    await indexNewProducts(urls.product);
    await rebuildProjections(urls);
    if (isLarge) await Promise.all(Object.values(urls).map(analyze));
  } finally {
    progress.end();
  }
  return catalogue.variants.length;
}

/** All rows but the few of categories, shops and warehouses. An empty level has no movement. */
function countRows(catalogue: Catalogue, offers: readonly StoreOffer[], users: number): number {
  let stock = 0;
  for (const { units } of offers.flatMap(levelsOf)) stock += units > 0 ? 2 : 1;
  return users + catalogue.products.length + catalogue.variants.length + 2 * offers.length + stock;
}

/** The categories of the demo store first. A larger store has more of them, and subcategories. */
function categoryRows(isLarge: boolean) {
  const tops = isLarge ? [...new Set([...categories, ...subcategories.keys()])] : categories;
  const names = isLarge ? [...tops, ...[...subcategories.values()].flat()] : tops;
  const parents = new Map(
    [...subcategories].flatMap(([top, under]) => under.map((name) => [name, top])),
  );
  const idOf = new Map(names.map((name, n) => [name as string, seedId('category', n)]));
  const rows = names.map((name) => ({
    id: idOf.get(name),
    name,
    name_key: foldCase(name),
    slug: slugOf(name, 'category'),
    parent_id: idOf.get(parents.get(name) ?? '') ?? null,
  }));
  return { rows, idOf };
}

function productTables(
  { products, variants }: Catalogue,
  isLarge: boolean,
  storeUrl: string,
): TableRows[] {
  const category = categoryRows(isLarge);
  const vera = seedId('user', 2);
  const productRows = each(products, (product) => ({
    id: seedId('product', product.n),
    name: product.name,
    slug: product.slug,
    description: product.description,
    category_id: category.idOf.get(product.category),
    images: picturesOf(product, storeUrl),
    created_by_id: vera,
  }));
  const variantRows = each(variants, ({ sku, name, options, product }) => ({
    sku,
    name,
    product_id: seedId('product', product.n),
    options,
  }));
  return [
    { table: 'category', rows: category.rows },
    { table: 'product', rows: productRows },
    { table: 'product_variant', rows: variantRows },
  ];
}

const dollars = (cents: number) => (cents / 100).toFixed(2);

function shopTables(shops: readonly StoreShop[], offers: readonly StoreOffer[]): TableRows[] {
  const shopRows = shops.map(({ n, name, slug, owner }) => ({
    id: seedId('shop', n),
    name,
    words: shopWords(name),
    slug,
    owner_id: seedId('user', owner),
    currency_code: 'USD',
  }));
  const offerRows = each(offers, (offer) => {
    const { n, shop, variant } = offer;
    const cents = priceOf(offer);
    const { isDemo } = variant.product;
    const name = `${variant.product.name}, ${variant.name}`;
    return {
      id: seedId('offer', n),
      shop_id: seedId('shop', shop.n),
      sku: variant.sku,
      name,
      words: offerWords(name, variant.sku),
      price_amount: dollars(cents),
      compare_at_amount:
        isDemo || chance(7, 'was more expensive', n) > 0
          ? null
          : dollars(Math.ceil(cents / 80) * 100),
      purchase_limit: isDemo || chance(30, 'limited', n) > 0 ? null : 5,
      currency_code: 'USD',
      active: isDemo || chance(40, 'inactive', n) > 0,
    };
  });
  return [
    { table: 'shop', rows: shopRows },
    { table: 'offer', rows: offerRows },
  ];
}

/** Stock is inserted together with its receipts, so that the movements add up to it. */
function warehouseTables(shops: readonly StoreShop[], offers: readonly StoreOffer[]): TableRows[] {
  const warehouseRows = shops.flatMap((shop) =>
    shop.warehouses.map(({ n, name }, at) => ({
      id: seedId('warehouse', n),
      shop_id: seedId('shop', shop.n),
      name,
      active: true,
      priority: (at + 1) * 10,
    })),
  );
  const eventRows = shops.flatMap((shop) =>
    shop.warehouses.map(({ n }) => ({
      shop_id: seedId('shop', shop.n),
      warehouse_id: seedId('warehouse', n),
      id: seedId('warehouse event', n),
      type: 'ACTIVATED',
      actor: 'seed',
    })),
  );
  const itemRows = each(offers, (offer) => ({
    shop_id: seedId('shop', offer.shop.n),
    sku: offer.variant.sku,
    available: levelsOf(offer).reduce((sum, { units }) => sum + units, 0),
    version: 1,
  }));
  // A level has the time of its movement: the clock of PostgreSQL may be behind.
  const now = new Date();
  const levelRows = each(levelsOfAll(offers), ({ n, warehouse, units, shop, sku }) => ({
    id: seedId('level', n),
    warehouse_id: seedId('warehouse', warehouse),
    shop_id: seedId('shop', shop.n),
    sku,
    on_hand: units,
    reserved: 0,
    low_stock_threshold: 10,
    last_seq: units > 0 ? 1 : 0,
    updated_at: now,
  }));
  const received = [...levelsOfAll(offers)].filter(({ units }) => units > 0);
  const movementRows = each(received, ({ n, units, shop }) => ({
    shop_id: seedId('shop', shop.n),
    level_id: seedId('level', n),
    id: movementId(now.getTime(), 1),
    seq: 1,
    type: 'RECEIPT',
    on_hand_delta: units,
    reserved_delta: 0,
    on_hand: units,
    reserved: 0,
    committed: 0,
    unavailable: 0,
    reference: 'seed',
    actor: 'seed',
    occurred_at: now,
    created_at: now,
  }));
  return [
    { table: 'warehouse', rows: warehouseRows },
    { table: 'warehouse_event', rows: eventRows },
    { table: 'stock_item', rows: itemRows },
    { table: 'stock_level', rows: levelRows },
    { table: 'stock_movement', rows: movementRows, unlessThereIs: ['shop_id', 'level_id'] },
  ];
}

function* levelsOfAll(offers: readonly StoreOffer[]) {
  for (const offer of offers) {
    const { shop, variant } = offer;
    for (const level of levelsOf(offer)) yield { ...level, shop, sku: variant.sku };
  }
}
