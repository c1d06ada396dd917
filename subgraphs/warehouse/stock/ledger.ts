import type { EntityClass, RequiredEntityData } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { assert } from '../../shared/assert.js';
import { insertRows } from '../../shared/database/insert-rows.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { type InShop, lockItems, shareWarehouse } from '../locks.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { insertItems, insertLevels } from './insert-stock.js';
import { ItemRoom } from './item-room.js';
import { LedgerItems } from './ledger-items.js';
import { availableUnits, shortfallOf } from './level-units.js';
import { movementId } from './movement-id.js';
import { type LevelChoice, type Place, type ReadLevels, readLevels } from './read-levels.js';
import { SaleUnits } from './sale-units.js';
import { StockItem } from './stock-item.js';
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

/** Only these may promise, or mark as unavailable, more units than there are. */
const mayRaiseShortfall: ReadonlySet<MovementType> = new Set(['ADJUSTMENT', 'UNAVAILABLE']);

const locationKey = (warehouseId: string, sku: string) => `${warehouseId} ${sku}`;

/**
 * The stock of some keys: their items, locked, and the levels of a choice, which the locks of the items
 * keep from changing. Levels are changed here only: each change updates the item's `available` and
 * `version`, and writes a movement. For a whole file `stock-csv/apply-rows.ts` does the same in sets.
 */
export class Ledger {
  readonly items: LedgerItems;
  /** for units that are added to levels from outside */
  readonly room = new ItemRoom();
  readonly #levels = new Map<string, StockLevel>();
  readonly #places = new Map<string, Place>();
  readonly #byLocation = new Map<string, StockLevel>();
  readonly #sellable: Map<string, StockLevel[]>;
  /** in order; stored by `write` */
  readonly movements: Array<RequiredEntityData<StockMovement> & { readonly id: string }> = [];
  /** by PostgreSQL’s clock, behind the locks; a change of a level has the time of `timeOf` */
  readonly now: Date;
  readonly #sales: SaleUnits;
  readonly #inserts: Array<(em: EntityManager) => Promise<unknown>> = [];

  private constructor(items: StockItem[], { levels, readAt }: ReadLevels, sales: SaleUnits) {
    this.now = readAt;
    this.#sales = sales;
    this.items = new LedgerItems(items, sales, readAt);
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
    const withoutItem = distinct.filter((sku) => !this.items.has({ shopId, sku }));
    const absent = distinct.filter((sku) => !this.findLevel(id, sku));
    for (const row of await insertItems(em, shopId, withoutItem)) {
      this.items.insert(em.map(StockItem, row));
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
    this.room.count(level, incomingDelta);
    level.updatedAt = this.timeOf(level);
    assert(level.incoming >= 0, 'a level has 0 ≤ incoming', level.id);
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
    this.room.count(level, onHandDelta);
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
    this.items.addAvailable(level, availableDelta);
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
    const { events, changed } = this.items.finish();
    if (events.length > 0) this.#inserts.push((em) => enqueue(em, events));
    if (this.#sales.isChanged) this.#inserts.push((em) => this.#sales.write(em));
    this.append(StockMovement, this.movements);
    const statements = [...this.#inserts, () => em.flush()];
    const results = await Promise.allSettled(statements.map((start) => start(em)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return changed();
  }

  #placeOf(level: StockLevel): Place {
    const place = this.#places.get(level.id);
    assert(place !== undefined, 'the place of a level is known', level.id);
    return place;
  }
}
