import type { EventMessage } from '../../contracts/events.js';
import type { SaleShortage } from '../../contracts/reservation.js';
import type { SaleKey } from '../../contracts/sale.js';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { saleShortageOf } from '../../contracts/warehouse.js';
import { assert } from '../../shared/assert.js';
import type { StockChanged } from '../signals/stock-signals.js';
import type { SaleChange, SaleUnits } from './sale-units.js';
import {
  crossesZero,
  fenceOf,
  inStockEvent,
  isSaleOpen,
  regularUnits,
  type SellableUnits,
  type StockItem,
  saleUnits,
  sellableUnits,
} from './stock-item.js';

/** The locked items of a ledger, with the units that regular buyers and sales can have of them. */
export class LedgerItems {
  readonly #items: Map<string, StockItem>;
  readonly #sales: SaleUnits;
  readonly #now: Date;
  /** changed item → its units before */
  readonly #unitsBefore = new Map<StockItem, SellableUnits>();
  readonly #inserted = new Set<StockItem>();

  /** @param now PostgreSQL’s clock, behind the locks */
  constructor(items: readonly StockItem[], sales: SaleUnits, now: Date) {
    this.#items = new Map(items.map((item) => [stockKeyOf(item), item]));
    this.#sales = sales;
    this.#now = now;
  }

  has(key: StockKey): boolean {
    return this.#items.has(stockKeyOf(key));
  }

  /** Adds an item that was inserted with 0 units. */
  insert(item: StockItem): void {
    this.#items.set(stockKeyOf(item), item);
    this.#inserted.add(item);
  }

  /**
   * Units of a key that can be sold at the regular price; 0 if the shop never had any.
   *
   * @param ofSale units of its sale that are taken with them
   */
  regularUnits(key: StockKey, ofSale = 0): number {
    const item = this.#items.get(stockKeyOf(key));
    return item ? Math.max(0, item.available - Math.max(ofSale, fenceOf(item, this.#now))) : 0;
  }

  /** Units of a key that a sale can sell; 0 if it has none set aside. */
  saleUnits(key: SaleKey): number {
    const item = this.#items.get(stockKeyOf(key));
    return item ? saleUnits(item, key.saleId, this.#now) : 0;
  }

  /** Why a sale among those of `LevelChoice.sales` has too few units. */
  saleShortage(key: SaleKey): SaleShortage {
    const item = this.#items.get(stockKeyOf(key));
    const ofSale = this.#sales.find(key);
    const isOpen = item !== undefined && isSaleOpen(item, key.saleId, this.#now);
    return saleShortageOf(ofSale && { allocated: ofSale.allocated, sold: ofSale.sold, isOpen });
  }

  /** Changes the units of a sale, and what is set aside for it, unless its item is no longer in it. */
  moveSale(key: SaleKey, change: SaleChange): void {
    const item = this.#require(key);
    this.#sales.add(key, change);
    if (item.saleId !== key.saleId) return;
    this.#keepUnits(item);
    item.setAside -= change.held + (change.sold ?? 0);
    assert(item.setAside >= 0, 'a sale holds no more than is set aside', stockKeyOf(key));
  }

  /** Changes the units of an item that are available. */
  addAvailable(key: StockKey, delta: number): void {
    const item = this.#require(key);
    this.#keepUnits(item);
    item.available += delta;
    assert(item.available >= 0, 'an item has 0 ≤ available', stockKeyOf(item));
  }

  #require(key: StockKey): StockItem {
    const item = this.#items.get(stockKeyOf(key));
    assert(item !== undefined, 'the ledger is open for each item that changes', stockKeyOf(key));
    return item;
  }

  #keepUnits(item: StockItem): void {
    if (!this.#unitsBefore.has(item)) this.#unitsBefore.set(item, this.#unitsOf(item));
  }

  #unitsOf(item: StockItem): SellableUnits {
    return sellableUnits(item, this.#now);
  }

  /**
   * Raises the versions of changed items, which `em.flush` writes.
   *
   * @returns events for the product subgraph of new items, and of those that came into stock or ran out; and the
   *   changes to publish after COMMIT, once they are written
   */
  finish(): { readonly events: EventMessage[]; readonly changed: () => StockChanged[] } {
    const changed = [...this.#unitsBefore].filter(([item, before]) => {
      const { regular, inSale } = this.#unitsOf(item);
      return regular !== before.regular || inSale !== before.inSale;
    });
    for (const [item] of changed) item.version += 1;
    const crossed = changed.filter(([item, before]) => crossesZero(before, this.#unitsOf(item)));
    const withEvent = new Set([...this.#inserted, ...crossed.map(([item]) => item)]);
    return {
      events: [...withEvent].map((item) => inStockEvent(item, this.#unitsOf(item))),
      changed: () =>
        changed.map(([item]) => ({ ...this.#visible(item), at: item.updatedAt.toISOString() })),
    };
  }

  /** What others see of an item. */
  #visible(item: StockItem) {
    const { shopId, sku, version } = item;
    return { shopId, sku, available: regularUnits(item, this.#now), version };
  }
}
