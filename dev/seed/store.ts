import { hashPassword } from '../../subgraphs/user/account/password.js';
import type { DatabaseUrls } from '../databases/set-up.js';
import {
  accounts,
  categories,
  type DemoProduct,
  demoPassword,
  products as demoProducts,
  shops,
  unitsOfWarehouse,
  warehousesOfShop,
} from './demo-store.js';
import { seedId } from './ids.js';
import { insertRows } from './rows.js';

interface Variant {
  readonly sku: string;
  readonly name: string;
  readonly n: number;
  readonly product: DemoProduct;
}

const skuOf = (product: DemoProduct, value: string) =>
  `${product.code}-${value}`.toUpperCase().replace(/[^\w.-]/g, '');

/** Fills the five databases with the demo store, or with one of `variantsMin` variants or more. */
export async function seedStore(urls: DatabaseUrls, variantsMin = 0): Promise<number> {
  const products = enough(demoProducts, variantsMin);
  const variants: Variant[] = products
    .flatMap((product) => product.values.map((value) => ({ product, value })))
    .map(({ product, value }, n) => ({ product, n, sku: skuOf(product, value), name: value }));
  await insertRows(urls.user, [{ table: 'user_account', rows: await userRows() }]);
  await insertRows(urls.product, productTables(products, variants));
  await insertRows(urls.shop, shopTables(variants));
  await insertRows(urls.warehouse, warehouseTables(variants));
  return variants.length;
}

/** The demo products again and again, as editions of their own, until there are enough variants. */
function enough(products: readonly DemoProduct[], variantsMin: number): DemoProduct[] {
  const all = [...products];
  let count = all.reduce((sum, product) => sum + product.values.length, 0);
  for (let n = 0; count < variantsMin; n++) {
    const model = products[n % products.length] as DemoProduct;
    const edition = Math.floor(n / products.length) + 2;
    const [code, name] = [`${model.code}${edition}`, `${model.name} ${edition}`];
    const priceCents = Math.round(model.priceCents * (0.8 + ((n * 37) % 60) / 100));
    all.push({ ...model, code, name, priceCents });
    count += model.values.length;
  }
  return all;
}

async function userRows() {
  const password_hash = await hashPassword(demoPassword);
  return accounts.map((account, n) => {
    return { id: seedId('user', n), ...account, email_verified: true, password_hash, ...madeNow() };
  });
}

function productTables(products: DemoProduct[], variants: Variant[]) {
  const categoryRows = categories.map((name, n) => {
    return { id: seedId('category', n), name, slug: name.toLowerCase(), ...madeNow() };
  });
  const productRows = products.map((product, n) => ({
    id: seedId('product', n),
    name: product.name,
    slug: product.code.toLowerCase(),
    description: `${product.name}, from the demo store: ${product.values.join(', ')}.`,
    category_id: seedId('category', categories.indexOf(product.category as 'Shoes')),
    images: [`https://images.example.com/${product.code.toLowerCase()}.jpg`],
    created_by_id: seedId('user', 2),
    ...madeNow(),
  }));
  const places = new Map(products.map((product, n) => [product, n]));
  const variantRows = variants.map(({ sku, name, product }) => ({
    sku,
    name,
    product_id: seedId('product', places.get(product) as number),
    options: [{ name: product.option, value: name }],
    ...madeNow(),
  }));
  return [
    { table: 'category', rows: categoryRows },
    { table: 'product', rows: productRows },
    { table: 'product_variant', rows: variantRows },
    { table: 'offer_listing', rows: listingRows(offerRows(variants), variantRows) },
  ];
}

/** What the shop and the warehouse subgraph would have told; their first event is newer. */
function listingRows(
  offers: ReturnType<typeof offerRows>,
  variants: readonly { readonly sku: string; readonly product_id: string }[],
) {
  const productIds = new Map(variants.map(({ sku, product_id }) => [sku, product_id]));
  return offers.map(({ id, shop_id, sku, price_amount, currency_code, active }) => ({
    shop_id,
    sku,
    product_id: productIds.get(sku),
    offer_id: id,
    price_amount,
    currency_code,
    active,
    offer_version: 0,
    in_stock: unitsOfWarehouse.some((units) => units > 0),
    stock_version: 0,
    ...madeNow(),
  }));
}

function shopTables(variants: Variant[]) {
  const shopRows = shops.map(({ name, slug, owner }, n) => ({
    id: seedId('shop', n),
    name,
    slug,
    owner_id: seedId('user', owner),
    currency_code: 'USD',
    ...madeNow(),
  }));
  return [
    { table: 'shop', rows: shopRows },
    { table: 'offer', rows: offerRows(variants) },
  ];
}

function offerRows(variants: Variant[]) {
  return shops.flatMap(({ priceFactor }, s) =>
    variants.map(({ sku, name, n, product }) => ({
      id: seedId('offer', n * shops.length + s),
      shop_id: seedId('shop', s),
      sku,
      name: `${product.name}, ${name}`,
      price_amount: (Math.round((product.priceCents * priceFactor) / 100) / 100).toFixed(2),
      currency_code: 'USD',
      active: true,
      ...madeNow(),
    })),
  );
}

/** Stock comes with its receipts, so that the ledger adds up from the first row on. */
function warehouseTables(variants: Variant[]) {
  const places = shops.flatMap((shop, s) =>
    warehousesOfShop.map((place, w) => ({ shop, s, place, w })),
  );
  const warehouseRows = places.map(({ shop, s, place, w }, n) => ({
    id: seedId('warehouse', n),
    shop_id: seedId('shop', s),
    name: `${shop.name}: ${place}`,
    active: true,
    priority: (w + 1) * 10,
    ...madeNow(),
  }));
  const itemRows = shops.flatMap((_, s) =>
    variants.map(({ sku }) => {
      const available = unitsOfWarehouse.reduce((sum, units) => sum + units, 0);
      return { shop_id: seedId('shop', s), sku, available, version: 1, ...madeNow() };
    }),
  );
  // Numbered by variant and place, so that a larger store begins with the same rows.
  const levels = places.flatMap((place, p) =>
    variants.map((variant) => ({ ...place, p, ...variant, number: variant.n * places.length + p })),
  );
  const levelRows = levels.map(({ s, w, p, sku, number }) => ({
    id: seedId('level', number),
    warehouse_id: seedId('warehouse', p),
    shop_id: seedId('shop', s),
    sku,
    on_hand: unitsOfWarehouse[w] as number,
    reserved: 0,
    low_stock_threshold: 10,
    ...madeNow(),
  }));
  const movementRows = levels.map(({ w, number }) => ({
    id: seedId('movement', number),
    level_id: seedId('level', number),
    type: 'RECEIPT',
    on_hand_delta: unitsOfWarehouse[w] as number,
    reserved_delta: 0,
    reference: 'seed',
    actor: 'seed',
    created_at: new Date().toISOString(),
  }));
  return [
    { table: 'warehouse', rows: warehouseRows },
    { table: 'stock_item', rows: itemRows },
    { table: 'stock_level', rows: levelRows },
    { table: 'stock_movement', rows: movementRows },
  ];
}

function madeNow() {
  const at = new Date().toISOString();
  return { created_at: at, updated_at: at };
}
