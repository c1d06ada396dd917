import type { EntityManager } from '@mikro-orm/postgresql';
import { Field, Int, ObjectType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import { setTimeLimit } from '../../shared/database/time-limit.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { Allow } from '../../shared/rights/rights.js';
import { intMax } from '../availability/availability.js';
import { type InShop, lockItemsOfWarehouse } from '../locks.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { availableUnitsSql } from '../stock/level-units.js';
import { moveStock } from '../stock/move-stock.js';
import { crossesZero, fenceSql, inStockEvent, regularUnitsSql } from '../stock/stock-item.js';
import type { StockStore } from '../stock/stock-store.js';
import { Warehouse } from '../warehouse/warehouse.js';
import { recordWarehouseEvent } from '../warehouse/warehouse-event.js';

@Allow('parent')
@ObjectType({ description: 'The result of deactivating a warehouse.' })
export class DeactivateWarehouseResult {
  @Field(() => Warehouse, { description: 'The warehouse.' })
  warehouse!: Warehouse;

  @Field(() => Int, {
    description: 'Units that could be bought before and cannot now; 0 if it was already inactive.',
  })
  unitsWithdrawn!: number;

  @Field(() => Int, {
    description: 'Units in the warehouse that are reserved for orders, which can still be paid.',
  })
  unitsReserved!: number;
}

// A warehouse may have 100,000 levels, which take longer than the limit of the pool's transactions.
const transactionMaxMs = 30_000;

export interface Activation {
  /** units that became available, or stopped being so; 0 when nothing changed */
  readonly units: number;
  /** units in the warehouse that are reserved */
  readonly reserved: number;
}

/**
 * Activates or deactivates a warehouse. From that commit on its free units count as available, or
 * do not. Reserved units stay reserved, and their orders can be paid. A change is an event in the
 * history of the warehouse.
 *
 * @param actor the id of the user who does it
 */
export async function setWarehouseActive(
  store: StockStore,
  warehouse: InShop,
  active: boolean,
  actor: string,
): Promise<Activation> {
  const { units, reserved } = await moveStock(
    store,
    async (em) => {
      await setTimeLimit(em, transactionMaxMs);
      await sql(em, 'set local lock_timeout = 0');
      const isChanged = await changeActive(em, warehouse, active);
      const event = { shopId: warehouse.shopId, warehouseId: warehouse.id };
      const type = active ? 'ACTIVATED' : 'DEACTIVATED';
      const eventId = isChanged ? await recordWarehouseEvent(em, { ...event, type, actor }) : null;
      const rows = isChanged ? await shiftAvailable(em, warehouse, active ? 1 : -1) : [];
      const units = rows.reduce((sum, { delta }) => sum + Math.abs(delta), 0);
      const changes = rows.map(({ delta: _, ...row }) => row);
      return { units, reserved: await countReserved(em, warehouse), changed: changes, eventId };
    },
    {
      signalsOf: ({ changed }) => ({ changed }),
      isStored: (em, { eventId }) => isRecorded(em, warehouse, eventId),
    },
  );
  return { units: Math.min(units, intMax), reserved: Math.min(reserved, intMax) };
}

async function isRecorded(em: EntityManager, { shopId, id }: InShop, eventId: string | null) {
  const recorded =
    'select from warehouse_event where shop_id = $1 and warehouse_id = $2 and id = $3';
  return (await sql(em, recorded, [shopId, id, eventId])).length > 0;
}

/**
 * Changes the warehouse once the items of all its levels are locked, so that nobody has read the old value
 * who changes a level. No level is inserted once the row of the warehouse is locked; items of levels that
 * were inserted before are locked then, without waiting, as that would be against the lock order.
 *
 * @returns whether it was changed
 */
async function changeActive(em: EntityManager, warehouse: InShop, active: boolean) {
  const { shopId, id } = warehouse;
  const isToChange = 'select 1 from warehouse where shop_id = $1 and id = $2 and active <> $3';
  if ((await sql(em, isToChange, [shopId, id, active])).length === 0) return false;
  const locked = await lockItemsOfWarehouse(em, warehouse, 'wait');
  const changed = await sql(
    em,
    `update warehouse set active = $3, updated_at = now()
     where shop_id = $1 and id = $2 and active <> $3 returning id`,
    [shopId, id, active],
  );
  const [levels] = await sql<{ count: number }>(
    em,
    'select count(*)::int as count from stock_level where shop_id = $1 and warehouse_id = $2',
    [shopId, id],
  );
  if (levels?.count !== locked) await lockItemsOfWarehouse(em, warehouse, 'no wait');
  return changed.length > 0;
}

/** Adds or subtracts the available units of a warehouse. */
async function shiftAvailable(em: EntityManager, { shopId, id }: InShop, sign: 1 | -1) {
  const rows = await sql<StockChanged & { delta: number; before: number; total: number }>(
    em,
    `update stock_item i set version = version + 1, updated_at = now(),
       available = i.available + l.delta
     from (select sku, ${availableUnitsSql()} * $3::int as delta from stock_level
           where shop_id = $1 and warehouse_id = $2 and ${availableUnitsSql()} > 0) l
     where i.shop_id = $1 and i.sku = l.sku
     returning i.shop_id as "shopId", i.sku, version, i.updated_at as at, l.delta,
       greatest(0, i.available - l.delta - ${fenceSql('i.', 'statement_timestamp()')}) as before,
       ${regularUnitsSql('i.', 'statement_timestamp()')} as available, i.available as total`,
    [shopId, id, sign],
  );
  const events = rows.flatMap(({ available, total, delta, before, ...row }) => {
    const after = { regular: available, inSale: total - available };
    const isCrossed = crossesZero({ regular: before, inSale: total - delta - before }, after);
    return isCrossed ? [inStockEvent(row, after)] : [];
  });
  await enqueue(em, events);
  return rows.map(({ before: _, total: __, ...row }) => ({
    ...row,
    at: new Date(row.at).toISOString(),
  }));
}

async function countReserved(em: EntityManager, { shopId, id }: InShop): Promise<number> {
  const [row] = await sql<{ reserved: string }>(
    em,
    `select coalesce(sum(reserved), 0) as reserved from stock_level
     where shop_id = $1 and warehouse_id = $2`,
    [shopId, id],
  );
  return Number(row?.reserved);
}
