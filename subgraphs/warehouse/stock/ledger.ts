import type { EntityClass, RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { assert } from '../../shared/assert.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { sql } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { lockStock } from '../locks.js';
import type { StockChanged } from '../signals/stock-signals.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { ConcurrentChange } from './stock-errors.js';
import { crossesZero, inStockEvent, StockItem } from './stock-item.js';
import { StockLevel } from './stock-level.js';
import { type MovementType, StockMovement } from './stock-movement.js';

export interface Movement {
  readonly type: MovementType;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  readonly reference: string | null;
  /** given for all movements of a transaction, or for none */
  readonly reason?: string | null;
  readonly actor: string;
}

const locationKey = (warehouseId: string, sku: string) => `${warehouseId} ${sku}`;

/**
 * The stock of some keys, locked (`lockStock`). Levels are changed here only: each change updates
 * the item's `available` and `version`, and writes a movement. For a whole file
 * `stock-csv/apply-rows.ts` does the same in sets.
 */
export class Ledger {
  readonly #warehouses: Map<string, Warehouse>;
  readonly #items: Map<string, StockItem>;
  readonly #levels: Map<string, StockLevel>;
  readonly #byLocation: Map<string, StockLevel>;
  readonly #sellable: Map<string, StockLevel[]>;
  /** in order; stored by `write` */
  readonly movements: Array<Movement & { id: string; levelId: string; createdAt: Date }> = [];
  /** changed item → its `available` before */
  readonly #availableBefore = new Map<StockItem, number>();
  readonly #newItems = new Set<StockItem>();
  readonly #inserts: Array<(em: EntityManager) => Promise<unknown>> = [];
  readonly #now = new Date();

  private constructor(warehouses: Warehouse[], items: StockItem[], levels: StockLevel[]) {
    this.#warehouses = new Map(warehouses.map((warehouse) => [warehouse.id, warehouse]));
    this.#items = new Map(items.map((item) => [stockKeyOf(item), item]));
    this.#levels = new Map(levels.map((level) => [level.id, level]));
    this.#byLocation = new Map(
      levels.map((level) => [locationKey(level.warehouseId, level.sku), level]),
    );
    const sellable = levels.filter((level) => this.#warehouse(level).active);
    this.#sellable = Map.groupBy(sellable.sort(this.#byPriority), stockKeyOf);
  }

  /** Locks the stock of the keys. The caller has locked its reservations or transfer before. */
  static async open(em: EntityManager, keys: readonly StockKey[]): Promise<Ledger> {
    if (keys.length === 0) return new Ledger([], [], []);
    const { warehouses, items, levels } = await lockStock(em, keys, {
      item: StockItem,
      level: StockLevel,
    });
    return new Ledger(warehouses, items, levels);
  }

  /** Units of a key that can be sold; 0 if the shop never had any. */
  available(key: StockKey): number {
    return this.#items.get(stockKeyOf(key))?.available ?? 0;
  }

  /** The levels of a key in active warehouses, the lowest priority number first. */
  sellableLevels(key: StockKey): readonly StockLevel[] {
    return this.#sellable.get(stockKeyOf(key)) ?? [];
  }

  readonly #byPriority = (a: StockLevel, b: StockLevel) => {
    const [first, second] = [this.#warehouse(a), this.#warehouse(b)];
    return first.priority - second.priority || (first.id < second.id ? -1 : 1);
  };

  findLevel(warehouseId: string, sku: string): StockLevel | null {
    return this.#byLocation.get(locationKey(warehouseId, sku)) ?? null;
  }

  requireLevel(warehouseId: string, sku: string): StockLevel {
    const level = this.findLevel(warehouseId, sku);
    assert(level !== null, 'a warehouse has a level of each sku that moves', sku);
    return level;
  }

  /**
   * The levels of skus in one warehouse, in the order of the skus. Levels and items that do not
   * exist are inserted, with 0 units. The ledger must be open for all of the skus.
   */
  async ensureLevels(
    em: EntityManager,
    { id, shopId }: { readonly id: string; readonly shopId: string },
    skus: readonly string[],
  ): Promise<StockLevel[]> {
    const distinct = [...new Set(skus)].sort();
    const withoutItem = distinct.filter((sku) => !this.#items.has(stockKeyOf({ shopId, sku })));
    const absent = distinct.filter((sku) => !this.findLevel(id, sku));
    for (const row of await insertItems(em, shopId, withoutItem)) {
      const item = em.map(StockItem, row);
      this.#items.set(stockKeyOf(item), item);
      this.#newItems.add(item);
    }
    for (const row of await insertLevels(em, id, shopId, absent)) {
      const level = em.map(StockLevel, row);
      this.#levels.set(level.id, level);
      this.#byLocation.set(locationKey(id, level.sku), level);
    }
    return skus.map((sku) => this.requireLevel(id, sku));
  }

  level(id: string): StockLevel {
    const level = this.#levels.get(id);
    assert(level !== undefined, 'the ledger is open for each level that is changed', id);
    return level;
  }

  /** Changes the incoming units of a level, which are no movement until they are received. */
  changeIncoming(level: StockLevel, incomingDelta: number): void {
    level.incoming += incomingDelta;
    assert(level.incoming >= 0, 'a level has 0 ≤ incoming', level.id);
  }

  /** Changes one level, in memory until `write`. */
  move(level: StockLevel, movement: Movement): void {
    level.onHand += movement.onHandDelta;
    level.reserved += movement.reservedDelta;
    const isPossible = 0 <= level.reserved && level.reserved <= level.onHand;
    assert(isPossible, 'a level has 0 ≤ reserved ≤ onHand', level.id);
    this.movements.push({ ...movement, id: newId(), levelId: level.id, createdAt: this.#now });
    const availableDelta = movement.onHandDelta - movement.reservedDelta;
    if (availableDelta === 0 || !this.#warehouse(level).active) return;
    const item = this.#items.get(stockKeyOf(level));
    assert(item !== undefined, 'a level has an item', level.id);
    if (!this.#availableBefore.has(item)) this.#availableBefore.set(item, item.available);
    item.available += availableDelta;
    assert(item.available >= 0, 'an item has 0 ≤ available', stockKeyOf(item));
  }

  /** Adds rows that `write` inserts before movements and levels, in the order of the calls. */
  append<T extends object>(entity: EntityClass<T>, rows: RequiredEntityData<T>[]): void {
    if (rows.length > 0) this.#inserts.push((em) => insertRows(em, entity, rows));
  }

  /**
   * Writes appended rows, movements, levels and items, and the events for the product subgraph of
   * items that came into stock or ran out. The statements queue on one connection, so that Node
   * builds the next one while PostgreSQL runs the last.
   *
   * @returns the changes to publish after COMMIT
   */
  async write(em: EntityManager): Promise<StockChanged[]> {
    const changed = [...this.#availableBefore].filter(
      ([item, before]) => item.available !== before,
    );
    for (const [item] of changed) item.version += 1;
    const crossed = changed.filter(([item, before]) => crossesZero(before, item.available));
    const withEvent = [...new Set([...this.#newItems, ...crossed.map(([item]) => item)])];
    if (withEvent.length > 0) this.#inserts.push((em) => enqueue(em, withEvent.map(inStockEvent)));
    this.append(StockMovement, this.movements);
    const statements = [...this.#inserts, () => em.flush()];
    const results = await Promise.allSettled(statements.map((start) => start(em)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return changed.map(([{ shopId, sku, available, version, updatedAt }]) => {
      return { shopId, sku, available, version, at: updatedAt.toISOString() };
    });
  }

  #warehouse(level: StockLevel): Warehouse {
    const warehouse = this.#warehouses.get(level.warehouseId);
    // It was created, and received its first stock, while this transaction waited for its locks.
    if (!warehouse) throw new ConcurrentChange();
    return warehouse;
  }
}

async function insertItems(em: EntityManager, shopId: string, skus: readonly string[]) {
  if (skus.length === 0) return [];
  const rows = await sql<object>(
    em,
    `insert into stock_item (shop_id, sku) select $1, unnest($2::varchar[])
     on conflict do nothing returning *`,
    [shopId, skus],
  );
  if (rows.length < skus.length) throw new ConcurrentChange();
  return rows;
}

async function insertLevels(
  em: EntityManager,
  warehouseId: string,
  shopId: string,
  skus: readonly string[],
) {
  if (skus.length === 0) return [];
  const rows = await sql<object>(
    em,
    `insert into stock_level (id, warehouse_id, shop_id, sku)
     select unnest($1::uuid[]), $2, $3, unnest($4::varchar[])
     on conflict do nothing returning *`,
    [skus.map(() => newId()), warehouseId, shopId, skus],
  );
  if (rows.length < skus.length) throw new ConcurrentChange();
  return rows;
}
