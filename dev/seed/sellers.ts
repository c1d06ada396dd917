import type { StoreVariant } from './catalogue.js';
import { chance } from './chance.js';
import { accounts, shops as demoShops, unitsOfWarehouse, warehousesOfShop } from './demo-store.js';

export interface StoreShop {
  readonly n: number;
  readonly name: string;
  readonly slug: string;
  /** the `n` of its vendor's user id */
  readonly owner: number;
  /** in hundredths of a product’s price */
  readonly priceFactor: number;
  readonly warehouses: ReadonlyArray<{ readonly n: number; readonly name: string }>;
}

const extraShops: ReadonlyArray<readonly [name: string, priceFactor: number, cities: string[]]> = [
  ['Summit & Sons', 102, ['Denver', 'Salt Lake City']],
  ['The Quiet Kitchen', 99, ['Chicago', 'Columbus', 'Atlanta']],
  ['Old Town Outdoor', 95, ['Portland']],
  ['Blue Door Living', 106, ['Boston', 'Newark', 'Charlotte']],
  ['Volt Street', 98, ['San Jose', 'Reno', 'Dallas', 'Memphis']],
  ['Paper & Pine', 101, ['Minneapolis', 'Madison']],
  ['Long Road Supply', 94, ['Phoenix', 'El Paso', 'Kansas City']],
  ['Seaside Sports', 103, ['San Diego', 'Tampa']],
  ['Everyday Depot', 91, ['Indianapolis', 'Louisville', 'Harrisburg', 'Ontario']],
];

/** Number of vendors beside those of the demo store: one for each extra shop. */
export const extraVendors = extraShops.length;

/** @returns the shops of the demo store, and in a larger store nine more */
export function shopsOf(isLarge: boolean): StoreShop[] {
  const shops: StoreShop[] = [];
  let warehouses = 0;
  const add = (shop: Omit<StoreShop, 'n' | 'warehouses'>, places: readonly string[]) => {
    const made = places.map((place) => ({ n: warehouses++, name: `${shop.name}: ${place}` }));
    shops.push({ ...shop, n: shops.length, warehouses: made });
  };
  for (const shop of demoShops) add(shop, warehousesOfShop);
  for (const [n, [name, priceFactor, cities]] of (isLarge ? extraShops : []).entries()) {
    const slug = name.toLowerCase().replace(/[^a-z]+/g, '-');
    add({ name, slug, priceFactor, owner: accounts.length + n }, cities);
  }
  return shops;
}

export interface StoreOffer {
  readonly n: number;
  readonly shop: StoreShop;
  readonly variant: StoreVariant;
}

const shopsMax = demoShops.length + extraShops.length;
const sellersMax = 3;

/** Demo products are offered by every demo shop, each other product by one to three shops. */
export function* offersOf(shops: readonly StoreShop[], variants: readonly StoreVariant[]) {
  for (const variant of variants) {
    const { product } = variant;
    const first = product.isDemo ? 0 : chance(shops.length, 'seller', product.n);
    const count = product.isDemo ? demoShops.length : 1 + chance(sellersMax, 'sellers', product.n);
    for (let at = 0; at < count; at++) {
      const shop = shops[(first + at) % shops.length] as StoreShop;
      const n = product.isDemo
        ? variant.n * demoShops.length + shop.n
        : variant.n * shopsMax + shop.n;
      yield { n, shop, variant } satisfies StoreOffer;
    }
  }
}

/** Price of an offer, in cents. */
export function priceOf({ shop, variant: { product } }: StoreOffer): number {
  const spread = product.isDemo ? 100 : 96 + chance(9, `price in ${shop.slug}`, product.n);
  return Math.round((product.priceCents * shop.priceFactor * spread) / 10_000);
}

export interface StoreLevel {
  readonly n: number;
  readonly warehouse: number;
  readonly units: number;
}

const warehousesMax = 100;
const demoWarehouses = demoShops.length * warehousesOfShop.length;

/** Stock levels of an offer: those of a generated product are in one warehouse of the shop or more. */
export function levelsOf({ shop, variant, n: offer }: StoreOffer): StoreLevel[] {
  const { isDemo } = variant.product;
  const home = chance(shop.warehouses.length, 'home', offer);
  return shop.warehouses.flatMap((warehouse, at) => {
    const n = isDemo
      ? variant.n * demoWarehouses + warehouse.n
      : variant.n * warehousesMax + warehouse.n;
    if (isDemo) return [{ n, warehouse: warehouse.n, units: unitsOfWarehouse[at] ?? 0 }];
    if (at !== home && chance(3, 'elsewhere', n) > 0) return [];
    return [{ n, warehouse: warehouse.n, units: unitsOf(n) }];
  });
}

/** One level in twelve is empty, one in six is low, the others have plenty of stock. */
function unitsOf(n: number): number {
  const luck = chance(12, 'units', n);
  if (luck === 0) return 0;
  return luck <= 2 ? 1 + chance(9, 'few', n) : 10 + chance(190, 'many', n);
}
