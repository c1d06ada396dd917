import type { EntityClass, RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleShortage } from '../../contracts/reservation.js';
import type { SaleKey } from '../../contracts/sale.js';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { isSoldOut } from '../../contracts/warehouse.js';
import { assert } from '../../shared/assert.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { type InShop, lockItems, shareWarehouse } from '../locks.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { insertItems, insertLevels } from './insert-stock.js';
import { availableUnits, shortfallOf } from './level-units.js';
import { movementId } from './movement-id.js';
import {
  type LevelChoice,
  type Place,
  type ReadLevels,
  readLevels,
  readUnitsOfItems,
} from './read-levels.js';
import { type SaleChange, SaleUnits } from './sale-units.js';
import {
  crossesZero,
  fenceOf,
  inStockEvent,
  isSaleOpen,
  regularUnits,
  type SellableUnits,
  StockItem,
  saleUnits,
  sellableUnits,
} from './stock-item.js';
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
  /** when it happened; by default the time of the change of its level */
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
 * The stock of some keys: their items, locked, and the levels of a choice, which the locks of the items
 * keep from changing. Levels are changed here only: each change updates the item's `available` and
 * `version`, and writes a movement. For a whole file `stock-csv/apply-rows.ts` does the same in sets.
 */
export class Ledger {
  readonly #items: Map<string, StockItem>;
  readonly #levels = new Map<string, StockLevel>();
  readonly #places = new Map<string, Place>();
  readonly #byLocation = new Map<string, StockLevel>();
  readonly #sellable: Map<string, StockLevel[]>;
  /** units on hand and incoming over all levels of an item, once it was asked for */
  readonly #unitsOfItem = new Map<string, number>();
  /** in order; stored by `write` */
  readonly movements: Array<RequiredEntityData<StockMovement> & { readonly id: string }> = [];
  /** by PostgreSQL’s clock, behind the locks; a change of a level has the time of `timeOf` */
  readonly now: Date;
  readonly #sales: SaleUnits;
  /** changed item → its units before */
  readonly #unitsBefore = new Map<StockItem, SellableUnits>();
  readonly #newItems = new Set<StockItem>();
  readonly #inserts: Array<(em: EntityManager) => Promise<unknown>> = [];

  private constructor(items: StockItem[], { levels, readAt }: ReadLevels, sales: SaleUnits) {
    this.now = readAt;
    this.#sales = sales;
    this.#items = new Map(items.map((item) => [stockKeyOf(item), item]));
    for (const [level, place] of levels) this.#addLevel(level, place);
    const sellable = levels.filter(([, { active }]) => active).map(([level]) => level);
    this.#sellable = Map.groupBy(sellable.sort(this.byPriority), stockKeyOf);
  }

  #addLevel(level: StockLevel, place: Place): void {
    this.#levels.set(level.id, level);
    this.#places.set(level.id, place);
    this.#byLocation.set(locationKey(level.warehouseId, level.sku), level);
  }

  /**
   * Locks the items of the keys, and reads the levels that the caller needs. It has locked its reservations
   * or transfer before.
   */
  static async open(
    em: EntityManager,
    keys: readonly StockKey[],
    choice: LevelChoice,
  ): Promise<Ledger> {
    const { sales = [] } = choice;
    if (keys.length === 0) {
      return new Ledger([], { levels: [], readAt: new Date() }, await SaleUnits.read(em, []));
    }
    const items = await lockItems(em, keys, StockItem);
    const reads = [readLevels(em, keys, choice), SaleUnits.read(em, sales)] as const;
    return new Ledger(items, ...(await Promise.all(reads)));
  }

  /**
   * Units of a key that can be sold at the regular price; 0 if the shop never had any.
   *
   * @param ofSale units of its sale that are taken with them
   */
  regularUnits(key: StockKey, ofSale = 0): number {
    const item = this.#items.get(stockKeyOf(key));
    return item ? Math.max(0, item.available - Math.max(ofSale, fenceOf(item, this.now))) : 0;
  }

  /** Units of a key that a sale can sell; 0 if it has none set aside. */
  saleUnits(key: SaleKey): number {
    const item = this.#items.get(stockKeyOf(key));
    return item ? saleUnits(item, key.saleId, this.now) : 0;
  }

  /** Why a sale among those of `choice.sales` has too few units. */
  saleShortage(key: SaleKey): SaleShortage {
    const item = this.#items.get(stockKeyOf(key));
    const ofSale = this.#sales.find(key);
    if (!item || !ofSale?.allocated || !isSaleOpen(item, key.saleId, this.now)) return 'OVER';
    return isSoldOut(ofSale) ? 'SOLD_OUT' : 'HELD';
  }

  /** Changes the units of a sale, and what is set aside for it, unless its item is no longer in it. */
  moveSale(key: SaleKey, change: SaleChange): void {
    const item = this.#items.get(stockKeyOf(key));
    assert(item !== undefined, 'a sale has units of an item', stockKeyOf(key));
    this.#sales.add(key, change);
    if (item.saleId !== key.saleId) return;
    this.#keepUnits(item);
    item.setAside -= change.held + (change.sold ?? 0);
    assert(item.setAside >= 0, 'a sale holds no more than is set aside', stockKeyOf(key));
  }

  /** The chosen levels of a key in active warehouses, the lowest priority number first. */
  sellableLevels(key: StockKey): readonly StockLevel[] {
    return this.#sellable.get(stockKeyOf(key)) ?? [];
  }

  /** For sorting: the level of the warehouse with the lowest priority number first. */
  readonly byPriority = (a: StockLevel, b: StockLevel): number => {
    const difference = this.#placeOf(a).priority - this.#placeOf(b).priority;
    return difference || (a.warehouseId < b.warehouseId ? -1 : 1);
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
   * exist are inserted, with 0 units. The ledger must be open for all of the skus in that warehouse.
   */
  async ensureLevels(
    em: EntityManager,
    warehouse: InShop,
    skus: readonly string[],
  ): Promise<StockLevel[]> {
    const { shopId, id } = warehouse;
    const distinct = [...new Set(skus)].sort();
    const withoutItem = distinct.filter((sku) => !this.#items.has(stockKeyOf({ shopId, sku })));
    const absent = distinct.filter((sku) => !this.findLevel(id, sku));
    for (const row of await insertItems(em, shopId, withoutItem)) {
      const item = em.map(StockItem, row);
      this.#items.set(stockKeyOf(item), item);
      this.#newItems.add(item);
    }
    if (absent.length > 0) {
      const place = await shareWarehouse(em, warehouse);
      for (const row of await insertLevels(em, warehouse, absent)) {
        this.#addLevel(em.map(StockLevel, row), place);
      }
    }
    return skus.map((sku) => this.requireLevel(id, sku));
  }

  level(id: string): StockLevel {
    const level = this.#levels.get(id);
    assert(level !== undefined, 'the ledger is open for each level that is changed', id);
    return level;
  }

  /** The time of a change of a level: never before its last change, whatever a clock says. */
  timeOf({ updatedAt }: StockLevel): Date {
    return updatedAt > this.now ? updatedAt : this.now;
  }

  /** Changes the incoming units of a level, which are no movement until they are received. */
  changeIncoming(level: StockLevel, incomingDelta: number): void {
    level.incoming += incomingDelta;
    this.#countUnits(level, incomingDelta);
    level.updatedAt = this.timeOf(level);
    assert(level.incoming >= 0, 'a level has 0 ≤ incoming', level.id);
  }

  /** Reads the units of the items of levels of one shop, for `hasRoom`. */
  async readRoom(em: EntityManager, levels: readonly StockLevel[]): Promise<void> {
    const [first] = levels;
    if (!first) return;
    const skus = levels.map(({ sku }) => sku);
    const units = await readUnitsOfItems(em, first.shopId, skus);
    for (const level of levels) this.#unitsOfItem.set(stockKeyOf(level), units.get(level.sku) ?? 0);
  }

  /**
   * Whether units may be added to a level of `readRoom`: it then has at most `onHandMax`, and its item at
   * most `unitsPerItemMax`.
   */
  hasRoom(level: StockLevel, units: number): boolean {
    const ofItem = this.#unitsOfItem.get(stockKeyOf(level));
    assert(ofItem !== undefined, 'the units of an item are read before some are added', level.id);
    return level.onHand + level.incoming + units <= onHandMax && ofItem + units <= unitsPerItemMax;
  }

  #countUnits(level: StockLevel, delta: number): void {
    const key = stockKeyOf(level);
    const before = this.#unitsOfItem.get(key);
    if (before !== undefined) this.#unitsOfItem.set(key, before + delta);
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
      const isWritten = shortfall < level.shortfall || mayRaise;
      assert(isWritten, 'no unit is promised twice', level.id);
      // Were it not asserted, PostgreSQL would refuse the level: its shortfall is not the one it has.
      if (isWritten) level.shortfall = shortfall;
    });
  }

  #add(level: StockLevel, movement: Movement): void {
    const { onHandDelta = 0, reservedDelta = 0, committedDelta = 0 } = movement;
    const { unavailableDelta = 0, reference = null, reason = null } = movement;
    level.onHand += onHandDelta;
    this.#countUnits(level, onHandDelta);
    level.reserved += reservedDelta;
    level.committed += committedDelta;
    level.unavailable += unavailableDelta;
    level.lastSeq += 1;
    const { onHand, reserved, committed, unavailable, lastSeq: seq } = level;
    const createdAt = this.timeOf(level);
    this.movements.push({
      shopId: level.shopId,
      levelId: level.id,
      id: movementId(createdAt.getTime(), seq),
      seq,
      type: movement.type,
      onHandDelta,
      reservedDelta,
      committedDelta,
      unavailableDelta,
      onHand,
      reserved,
      committed,
      unavailable,
      reference,
      reason,
      actor: movement.actor,
      occurredAt: movement.occurredAt ?? createdAt,
      createdAt,
    });
  }

  /** Records when the units of a level were counted. */
  setCountedAt(level: StockLevel, countedAt: Date): void {
    level.countedAt = countedAt;
    level.updatedAt = this.timeOf(level);
  }

  /** Sets when the level counts as low. It moves no units. */
  setThreshold(level: StockLevel, threshold: number): void {
    level.lowStockThreshold = threshold;
    level.updatedAt = this.timeOf(level);
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
    level.updatedAt = this.timeOf(level);
    const availableDelta = availableUnits(level) - before;
    if (availableDelta === 0 || !this.#placeOf(level).active) return;
    const item = this.#items.get(stockKeyOf(level));
    assert(item !== undefined, 'a level has an item', level.id);
    this.#keepUnits(item);
    item.available += availableDelta;
    assert(item.available >= 0, 'an item has 0 ≤ available', stockKeyOf(item));
  }

  #keepUnits(item: StockItem): void {
    if (!this.#unitsBefore.has(item)) this.#unitsBefore.set(item, this.#unitsOf(item));
  }

  #unitsOf(item: StockItem): SellableUnits {
    return sellableUnits(item, this.now);
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
    const changed = [...this.#unitsBefore].filter(([item, before]) => {
      const { regular, inSale } = this.#unitsOf(item);
      return regular !== before.regular || inSale !== before.inSale;
    });
    for (const [item] of changed) item.version += 1;
    const crossed = changed.filter(([item, before]) => crossesZero(before, this.#unitsOf(item)));
    const withEvent = [...new Set([...this.#newItems, ...crossed.map(([item]) => item)])];
    const events = withEvent.map((item) => inStockEvent(item, this.#unitsOf(item)));
    if (events.length > 0) this.#inserts.push((em) => enqueue(em, events));
    if (this.#sales.isChanged) this.#inserts.push((em) => this.#sales.write(em));
    this.append(StockMovement, this.movements);
    const statements = [...this.#inserts, () => em.flush()];
    const results = await Promise.allSettled(statements.map((start) => start(em)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return changed.map(([item]) => {
      return { ...this.#visible(item), at: item.updatedAt.toISOString() };
    });
  }

  /** What others see of an item. */
  #visible(item: StockItem) {
    const { shopId, sku, version } = item;
    return { shopId, sku, available: regularUnits(item, this.now), version };
  }

  #placeOf(level: StockLevel): Place {
    const place = this.#places.get(level.id);
    assert(place !== undefined, 'the place of a level is known', level.id);
    return place;
  }
}
