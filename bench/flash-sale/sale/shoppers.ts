import { chance } from '../../../dev/seed/chance.js';
import type { SaleOptions } from './options.js';

/** What a shopper does once the order is placed. */
export type Intention = 'pay' | 'leave' | 'pay by a declined card' | 'cancel';

export interface CartLine {
  /** number of the SKU, from 0 */
  readonly sku: number;
  readonly quantity: number;
}

export interface Shopper {
  readonly number: number;
  /** each SKU once */
  readonly cart: readonly CartLine[];
  readonly intention: Intention;
  /** whether each request that buys is sent twice at the same moment */
  readonly repeats: boolean;
}

const cartUnitsMax = 3;

/** The crowd of a sale: with the same options the same carts and intentions, in the same order of arrival. */
export function planShoppers(options: SaleOptions): Shopper[] {
  return Array.from({ length: options.shoppers }, (_, number) => ({
    number,
    cart: cartOf(number, options.skus),
    intention: intentionOf(number, options),
    repeats: chance(100, 'repeats', number) < options.repeat,
  }));
}

function cartOf(shopper: number, skus: number): CartLine[] {
  const units = 1 + chance(cartUnitsMax, 'units', shopper);
  const quantities = new Map<number, number>();
  for (let unit = 0; unit < units; unit++) {
    const sku = chance(skus, `sku of unit ${unit}`, shopper);
    quantities.set(sku, (quantities.get(sku) ?? 0) + 1);
  }
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}

function intentionOf(shopper: number, { neverPay, decline, cancel }: SaleOptions): Intention {
  const drawn = chance(100, 'intention', shopper);
  if (drawn < neverPay) return 'leave';
  if (drawn < neverPay + decline) return 'pay by a declined card';
  return drawn < neverPay + decline + cancel ? 'cancel' : 'pay';
}

/** SKU → its units: all that are sold, spread evenly. */
export const shelfOf = ({ units, skus }: SaleOptions): number[] =>
  Array.from({ length: skus }, (_, sku) => Math.floor((units + skus - 1 - sku) / skus));
