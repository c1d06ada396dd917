import { LockMode } from '@mikro-orm/postgresql';
import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from '../../shared/database.js';
import { isDeadlock, isUniqueViolation } from '../../shared/database-errors.js';
import type { StockEngine } from '../context.js';
import { Warehouse } from '../warehouse/warehouse.js';
import type { StockChanged } from './stock-events.js';
import { StockItem, type StockKey } from './stock-item.js';
import { StockLevel } from './stock-level.js';
import { type MovementType, StockMovement } from './stock-movement.js';

export interface Movement {
  readonly type: MovementType;
  readonly onHandDelta: number;
  readonly reservedDelta: number;
  readonly reference: string | null;
  readonly reason: string | null;
  readonly actor: string;
}

const itemKey = ({ shopId, sku }: StockKey) => `${shopId} ${sku}`;

/**
 * The stock of some keys, locked in the one lock order of the domain: warehouses by id (FOR SHARE)
 * → items by shop and sku → levels by sku and warehouse (FOR UPDATE). The one place that changes
 * levels: with each level it keeps the item's `available` and `version`, and writes the movement.
 */
export class Ledger {
  readonly #warehouses: Map<string, Warehouse>;
  readonly #items: Map<string, StockItem>;
  readonly #levels: Map<string, StockLevel>;
  readonly #movements: Array<Movement & { id: string; levelId: string }> = [];
  readonly #changed = new Set<StockItem>();

  private constructor(warehouses: Warehouse[], items: StockItem[], levels: StockLevel[]) {
    this.#warehouses = new Map(warehouses.map((warehouse) => [warehouse.id, warehouse]));
    this.#items = new Map(items.map((item) => [itemKey(item), item]));
    this.#levels = new Map(levels.map((level) => [level.id, level]));
  }

  /** Locks the rows; the caller already has the locks on its reservations, if it needs any. */
  static async open(em: EntityManager, keys: readonly StockKey[]): Promise<Ledger> {
    if (keys.length === 0) return new Ledger([], [], []);
    const distinct = [...new Map(keys.map((key) => [itemKey(key), key])).values()];
    const shopIds = [...new Set(distinct.map(({ shopId }) => shopId))];
    const ofKeys = { $or: distinct.map(({ shopId, sku }) => ({ shopId, sku })) };
    const warehouses = await em.find(
      Warehouse,
      { shopId: { $in: shopIds } },
      { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_READ },
    );
    const items = await em.find(StockItem, ofKeys, {
      orderBy: { shopId: 'asc', sku: 'asc' },
      lockMode: LockMode.PESSIMISTIC_WRITE,
    });
    const levels = await em.find(StockLevel, ofKeys, {
      orderBy: { sku: 'asc', warehouseId: 'asc' },
      lockMode: LockMode.PESSIMISTIC_WRITE,
    });
    return new Ledger(warehouses, items, levels);
  }

  /** Units of a key that can be sold; 0 where the shop never had any. */
  available(key: StockKey): number {
    return this.#items.get(itemKey(key))?.available ?? 0;
  }

  /** The levels of a key from which can be sold, the warehouse of lowest priority number first. */
  sellableLevels(key: StockKey): StockLevel[] {
    const levels = [...this.#levels.values()].filter(
      (level) =>
        level.shopId === key.shopId && level.sku === key.sku && this.#warehouse(level).active,
    );
    return levels.sort((a, b) => {
      const [first, second] = [this.#warehouse(a), this.#warehouse(b)];
      return first.priority - second.priority || (first.id < second.id ? -1 : 1);
    });
  }

  level(id: string): StockLevel {
    const level = this.#levels.get(id);
    if (!level) throw new Error(`the ledger was not opened for level ${id}`);
    return level;
  }

  /** Changes one level; nothing is written before `write`. */
  move(level: StockLevel, movement: Movement): void {
    level.onHand += movement.onHandDelta;
    level.reserved += movement.reservedDelta;
    this.#movements.push({ ...movement, id: uuidv7(), levelId: level.id });
    const availableDelta = movement.onHandDelta - movement.reservedDelta;
    if (availableDelta === 0 || !this.#warehouse(level).active) return;
    const item = this.#items.get(itemKey(level));
    if (!item) throw new Error(`the ledger has no item for level ${level.id}`);
    item.available += availableDelta;
    this.#changed.add(item);
  }

  /** Writes levels, items and movements. @returns what subscribers are to be told after COMMIT */
  async write(em: EntityManager): Promise<StockChanged[]> {
    for (const item of this.#changed) item.version += 1;
    await em.flush();
    if (this.#movements.length > 0) await em.insertMany(StockMovement, this.#movements);
    return [...this.#changed].map(({ shopId, sku, available, version, updatedAt }) => {
      return { shopId, sku, available, version, at: updatedAt.toISOString() };
    });
  }

  #warehouse(level: StockLevel): Warehouse {
    const warehouse = this.#warehouses.get(level.warehouseId);
    if (!warehouse) throw new Error(`the ledger was not opened for ${level.warehouseId}`);
    return warehouse;
  }
}

export type OpenLedger = (keys: readonly StockKey[]) => Promise<Ledger>;

const attemptsMax = 3;

/**
 * One transaction that moves stock. `work` locks its reservations first, then opens the ledger at
 * most once; what it moved is written and committed, and only then told to subscribers. A deadlock,
 * or a row that another transaction made first, makes the whole of it run again.
 */
export async function moveStock<T>(
  engine: StockEngine,
  work: (em: EntityManager, openLedger: OpenLedger) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      let changes: StockChanged[] = [];
      const value = await engine.orm.em.fork().transactional(async (em) => {
        let ledger: Ledger | undefined;
        const result = await work(em, async (keys) => {
          ledger = await Ledger.open(em, keys);
          return ledger;
        });
        changes = (await ledger?.write(em)) ?? [];
        return result;
      });
      engine.events.publish(changes);
      return value;
    } catch (error) {
      const again = isDeadlock(error) || isUniqueViolation(error);
      if (!again || attempt === attemptsMax) throw error;
    }
  }
}
