import type { EntityManager } from '@mikro-orm/postgresql';
import { stockKeyOf } from '../../contracts/stock-key.js';
import { assert } from '../../shared/assert.js';
import { readUnitsOfItems } from './read-levels.js';
import type { StockLevel } from './stock-level.js';

/** Units of an item over all warehouses, in transit included; the sum must fit an Int. */
export const unitsPerItemMax = 2_147_483_647;
/** Units on one level. */
export const onHandMax = 100_000_000;

/** How many units may be added to levels, whose items are locked. */
export class ItemRoom {
  /** units on hand and incoming over all levels of an item that was read */
  readonly #units = new Map<string, number>();

  /** Reads the units of the items of levels of one shop. */
  async read(em: EntityManager, levels: readonly StockLevel[]): Promise<void> {
    const [first] = levels;
    if (!first) return;
    const skus = levels.map(({ sku }) => sku);
    const units = await readUnitsOfItems(em, first.shopId, skus);
    for (const level of levels) this.#units.set(stockKeyOf(level), units.get(level.sku) ?? 0);
  }

  /**
   * Whether units may be added to a level that was read: it then has at most `onHandMax`, and its item at most
   * `unitsPerItemMax`.
   */
  has(level: StockLevel, units: number): boolean {
    const ofItem = this.#units.get(stockKeyOf(level));
    assert(ofItem !== undefined, 'the units of an item are read before some are added', level.id);
    return level.onHand + level.incoming + units <= onHandMax && ofItem + units <= unitsPerItemMax;
  }

  /** Counts units that were added to a level. */
  count(level: StockLevel, delta: number): void {
    const key = stockKeyOf(level);
    const before = this.#units.get(key);
    if (before !== undefined) this.#units.set(key, before + delta);
  }
}
