import type { EntityClass, RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { assert } from '../../shared/assert.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { newIdAt } from '../../shared/ids.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { lockStock } from '../locks.js';
import type { StockChanged } from '../signals/stock-signals.js';
import type { Warehouse } from '../warehouse/warehouse.js';
import { insertItems, insertLevels } from './insert-stock.js';
import { availableUnits, shortfallOf } from './level-units.js';
import { ConcurrentChange } from './stock-errors.js';
import { crossesZero, inStockEvent, StockItem } from './stock-item.js';
import { StockLevel } from './stock-level.js';
import { type MovementType, StockMovement } from './stock-movement.js';

export interface Movement {
  readonly type: MovementType;
  readonly onHandDelta?: number;
  readonly reservedDelta?: number;
  readonly committedDelta?: number;
  readonly unavailableDelta?: number;
  readonly reference?: string | null;
  readonly reason?: string | null;
  readonly actor: string;
  /** when it happened; by default the time of the ledger */
  readonly occurredAt?: Date;
}

/** Units of an item over all warehouses, in transit included; the sum must fit an Int. */
export const unitsPerItemMax = 2_147_483_647;
/** Units on one level. */
export const onHandMax = 100_000_000;

/** Only these may promise, or mark as unavailable, more units than there are. */
const mayRaiseShortfall: ReadonlySet<MovementType> = new Set(['ADJUSTMENT', 'UNAVAILABLE']);

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
  readonly #byItem: Map<string, StockLevel[]>;
  readonly #sellable: Map<string, StockLevel[]>;
  /** in order; stored by `write` */
  readonly movements: Array<RequiredEntityData<StockMovement> & { readonly id: string }> = [];
  /** by PostgreSQL’s clock, behind the locks: later than all movements of these levels before */
  readonly now: Date;
  /** changed item → its `available` before */
  readonly #availableBefore = new Map<StockItem, number>();
  readonly #newItems = new Set<StockItem>();
  readonly #inserts: Array<(em: EntityManager) => Promise<unknown>> = [];

  private constructor(
    warehouses: Warehouse[],
    items: StockItem[],
    levels: StockLevel[],
    lockedAt = new Date(),
  ) {
    const lastMs = levels.map(({ updatedAt }) => updatedAt.getTime());
    this.now = new Date(Math.max(lockedAt.getTime(), ...lastMs));
    this.#warehouses = new Map(warehouses.map((warehouse) => [warehouse.id, warehouse]));
    this.#items = new Map(items.map((item) => [stockKeyOf(item), item]));
    this.#levels = new Map(levels.map((level) => [level.id, level]));
    this.#byLocation = new Map(
      levels.map((level) => [locationKey(level.warehouseId, level.sku), level]),
    );
    this.#byItem = Map.groupBy(levels, stockKeyOf);
    const sellable = levels.filter((level) => this.#warehouse(level).active);
    this.#sellable = Map.groupBy(sellable.sort(this.byPriority), stockKeyOf);
  }

  /** Locks the stock of the keys. The caller has locked its reservations or transfer before. */
  static async open(em: EntityManager, keys: readonly StockKey[]): Promise<Ledger> {
    if (keys.length === 0) return new Ledger([], [], []);
    const locked = await lockStock(em, keys, { item: StockItem, level: StockLevel });
    return new Ledger(locked.warehouses, locked.items, locked.levels, locked.lockedAt);
  }

  /** Units of a key that can be sold; 0 if the shop never had any. */
  available(key: StockKey): number {
    return this.#items.get(stockKeyOf(key))?.available ?? 0;
  }

  /** The levels of a key in active warehouses, the lowest priority number first. */
  sellableLevels(key: StockKey): readonly StockLevel[] {
    return this.#sellable.get(stockKeyOf(key)) ?? [];
  }

  /** For sorting: the level of the warehouse with the lowest priority number first. */
  readonly byPriority = (a: StockLevel, b: StockLevel): number => {
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
      const key = stockKeyOf(level);
      this.#byItem.set(key, [...(this.#byItem.get(key) ?? []), level]);
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
    level.updatedAt = this.now;
    assert(level.incoming >= 0, 'a level has 0 ≤ incoming', level.id);
  }

  /**
   * Whether units may be added to a level: it then has at most `onHandMax`, and its item at most
   * `unitsPerItemMax`.
   */
  hasRoom(level: StockLevel, units: number): boolean {
    const unitsOf = (each: StockLevel) => each.onHand + each.incoming;
    const ofItem = this.#byItem.get(stockKeyOf(level)) ?? [];
    const total = ofItem.reduce((sum, each) => sum + unitsOf(each), units);
    return unitsOf(level) + units <= onHandMax && total <= unitsPerItemMax;
  }

  /** Changes one level by movements that belong together, in memory until `write`. */
  move(level: StockLevel, ...movements: readonly Movement[]): void {
    this.#change(level, () => {
      for (const movement of movements) this.#add(level, movement);
      const least = Math.min(level.onHand, level.reserved, level.committed, level.unavailable);
      assert(least >= 0, 'a level has no units below 0', level.id);
      assert(level.unavailable <= level.onHand, 'a level has unavailable ≤ onHand', level.id);
      const shortfall = shortfallOf(level);
      if (shortfall === level.shortfall) return;
      const mayRaise = movements.some(({ type }) => mayRaiseShortfall.has(type));
      assert(shortfall < level.shortfall || mayRaise, 'no unit is promised twice', level.id);
      level.shortfall = shortfall;
    });
  }

  #add(level: StockLevel, movement: Movement): void {
    const { onHandDelta = 0, reservedDelta = 0, committedDelta = 0 } = movement;
    const { unavailableDelta = 0, reference = null, reason = null } = movement;
    level.onHand += onHandDelta;
    level.reserved += reservedDelta;
    level.committed += committedDelta;
    level.unavailable += unavailableDelta;
    this.movements.push({
      id: newIdAt(this.now.getTime()),
      levelId: level.id,
      type: movement.type,
      onHandDelta,
      reservedDelta,
      committedDelta,
      unavailableDelta,
      reference,
      reason,
      actor: movement.actor,
      occurredAt: movement.occurredAt ?? this.now,
      createdAt: this.now,
    });
  }

  /** Records when the units of a level were counted. */
  setCountedAt(level: StockLevel, countedAt: Date): void {
    level.countedAt = countedAt;
    level.updatedAt = this.now;
  }

  /** Keeps units of a level back from sale. They are no movement. */
  setBuffer(level: StockLevel, buffer: number): void {
    this.#change(level, () => {
      level.buffer = buffer;
    });
  }

  /** Changes a level, and the available units of its item by the same difference. */
  #change(level: StockLevel, change: () => void): void {
    const before = availableUnits(level);
    change();
    level.updatedAt = this.now;
    const availableDelta = availableUnits(level) - before;
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
