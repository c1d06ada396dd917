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
  /** of all movements of a transaction, or of none */
  readonly reason?: string | null;
  readonly actor: string;
}

const placeKey = (warehouseId: string, sku: string) => `${warehouseId} ${sku}`;

/**
 * The stock of some keys, locked (`lockStock`). The one place that changes
 * levels: with each level it keeps the item's `available` and `version`, and writes the movement.
 * (For a whole file `stock-csv/apply-rows.ts` does the same in sets.)
 */
export class Ledger {
  readonly #warehouses: Map<string, Warehouse>;
  readonly #items: Map<string, StockItem>;
  readonly #levels: Map<string, StockLevel>;
  readonly #places: Map<string, StockLevel>;
  readonly #sellable: Map<string, StockLevel[]>;
  /** what was moved, in order; each is a row once it is written */
  readonly movements: Array<Movement & { id: string; levelId: string; createdAt: Date }> = [];
  /** item → what was available of it before */
  readonly #touched = new Map<StockItem, number>();
  readonly #made = new Set<StockItem>();
  readonly #appended: Array<(em: EntityManager) => Promise<unknown>> = [];
  readonly #now = new Date();

  private constructor(warehouses: Warehouse[], items: StockItem[], levels: StockLevel[]) {
    this.#warehouses = new Map(warehouses.map((warehouse) => [warehouse.id, warehouse]));
    this.#items = new Map(items.map((item) => [stockKeyOf(item), item]));
    this.#levels = new Map(levels.map((level) => [level.id, level]));
    this.#places = new Map(levels.map((level) => [placeKey(level.warehouseId, level.sku), level]));
    const sellable = levels.filter((level) => this.#warehouse(level).active);
    this.#sellable = Map.groupBy(sellable.sort(this.#byPriority), stockKeyOf);
  }

  /** Locks the rows; the caller already has the locks on its reservations, if it needs any. */
  static async open(em: EntityManager, keys: readonly StockKey[]): Promise<Ledger> {
    if (keys.length === 0) return new Ledger([], [], []);
    const { warehouses, items, levels } = await lockStock(em, keys, {
      item: StockItem,
      level: StockLevel,
    });
    return new Ledger(warehouses, items, levels);
  }

  /** Units of a key that can be sold; 0 where the shop never had any. */
  available(key: StockKey): number {
    return this.#items.get(stockKeyOf(key))?.available ?? 0;
  }

  /** The levels of a key from which can be sold, the warehouse of lowest priority number first. */
  sellableLevels(key: StockKey): readonly StockLevel[] {
    return this.#sellable.get(stockKeyOf(key)) ?? [];
  }

  readonly #byPriority = (a: StockLevel, b: StockLevel) => {
    const [first, second] = [this.#warehouse(a), this.#warehouse(b)];
    return first.priority - second.priority || (first.id < second.id ? -1 : 1);
  };

  /** The level of a sku in one warehouse, if there is one. */
  levelOf(warehouseId: string, sku: string): StockLevel | undefined {
    return this.#places.get(placeKey(warehouseId, sku));
  }

  /**
   * The levels of skus in one warehouse, in their order; those that are not there are made, at zero,
   * and so are their items. The ledger has to be open for all of them.
   */
  async makeLevels(
    em: EntityManager,
    { id, shopId }: { readonly id: string; readonly shopId: string },
    skus: readonly string[],
  ): Promise<StockLevel[]> {
    const distinct = [...new Set(skus)].sort();
    const unknown = distinct.filter((sku) => !this.#items.has(stockKeyOf({ shopId, sku })));
    const absent = distinct.filter((sku) => !this.levelOf(id, sku));
    for (const row of await insertItems(em, shopId, unknown)) {
      const item = em.map(StockItem, row);
      this.#items.set(stockKeyOf(item), item);
      this.#made.add(item);
    }
    for (const row of await insertLevels(em, id, shopId, absent)) {
      const level = em.map(StockLevel, row);
      this.#levels.set(level.id, level);
      this.#places.set(placeKey(id, level.sku), level);
    }
    return skus.map((sku) => this.levelOf(id, sku) as StockLevel);
  }

  level(id: string): StockLevel {
    const level = this.#levels.get(id);
    assert(level !== undefined, 'the ledger is open for each level that is changed', id);
    return level;
  }

  /** Changes how many units are on their way to a level; that is in no movement before they come. */
  expect(level: StockLevel, incomingDelta: number): void {
    level.incoming += incomingDelta;
    assert(level.incoming >= 0, 'a level has 0 ≤ incoming', level.id);
  }

  /** Changes one level; nothing is written before `write`. */
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
    if (!this.#touched.has(item)) this.#touched.set(item, item.available);
    item.available += availableDelta;
    assert(item.available >= 0, 'an item has 0 ≤ available', stockKeyOf(item));
  }

  /** Rows that are only ever added to; written with the rest, in the order in which they came. */
  append<T extends object>(entity: EntityClass<T>, rows: RequiredEntityData<T>[]): void {
    if (rows.length > 0) this.#appended.push((em) => insertRows(em, entity, rows));
  }

  /**
   * Writes what was appended, movements, levels and items, and tells the product subgraph of items
   * that came into stock or ran out. The statements queue on one connection:
   * while PostgreSQL works on one, the next is put together here.
   *
   * @returns what subscribers are to be told after COMMIT
   */
  async write(em: EntityManager): Promise<StockChanged[]> {
    const changed = [...this.#touched].filter(([item, before]) => item.available !== before);
    for (const [item] of changed) item.version += 1;
    const crossed = changed.filter(([item, before]) => crossesZero(before, item.available));
    const announced = [...new Set([...this.#made, ...crossed.map(([item]) => item)])];
    if (announced.length > 0) this.#appended.push((em) => enqueue(em, announced.map(inStockEvent)));
    this.append(StockMovement, this.movements);
    const statements = [...this.#appended, () => em.flush()];
    const results = await Promise.allSettled(statements.map((start) => start(em)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return changed.map(([{ shopId, sku, available, version, updatedAt }]) => {
      return { shopId, sku, available, version, at: updatedAt.toISOString() };
    });
  }

  #warehouse(level: StockLevel): Warehouse {
    const warehouse = this.#warehouses.get(level.warehouseId);
    // It was opened, and took in its first stock, while this transaction waited for its locks.
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
