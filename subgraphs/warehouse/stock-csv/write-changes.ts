import type pg from 'pg';
import { events, type Topic } from '../../contracts/events.js';
import { availableUnitsSql, shortfallSql } from '../stock/level-units.js';
import { movementIdSql } from '../stock/movement-id.js';
import { ConcurrentChange } from '../stock/stock-errors.js';
import { fenceSql } from '../stock/stock-item.js';
import { lowStockThresholdDefault } from '../stock/stock-level.js';
import { type ChangeCounts, unitsAfter } from './staged-changes.js';
import type { StockImport } from './stock-import.js';

const reason = 'CSV import';

/**
 * Writes the changes: items, levels, movements, and the events for the product subgraph.
 *
 * @param active whether the warehouse is active
 * @throws ConcurrentChange if another transaction inserted a level or an item first
 */
export async function writeChanges(
  client: pg.Client,
  stockImport: StockImport,
  active: boolean,
  counts: ChangeCounts,
  now: Date,
): Promise<void> {
  const { shopId } = stockImport.warehouse;
  await writeItems(client, shopId, active, counts.newItems, now);
  await writeLevels(client, stockImport, counts.newLevels, now);
  await writeMovements(client, stockImport);
  await writeEvents(client, shopId, now);
}

/**
 * Units in an inactive warehouse do not count as available. A new item starts at version 0 or 1.
 */
async function writeItems(
  client: pg.Client,
  shopId: string,
  active: boolean,
  newItems: number,
  now: Date,
): Promise<void> {
  const { rowCount } = await client.query(
    `insert into stock_item (shop_id, sku, available, version, created_at, updated_at)
     select $1, sku, case when $2 then quantity else 0 end,
       case when $2 and quantity > 0 then 1 else 0 end, $3, $3
     from import_delta where item_available is null order by sku
     on conflict do nothing`,
    [shopId, active, now],
  );
  if (rowCount !== newItems) throw new ConcurrentChange();
  if (!active) return;
  await client.query(
    `update stock_item i set available = i.available + d.after - d.before,
       version = i.version + 1, updated_at = $2
     from (select d.sku, ${availableUnitsSql('d.')} as before, ${availableUnitsSql('n.')} as after
           from import_delta d, ${unitsAfter} where d.item_available is not null) d
     where i.shop_id = $1 and i.sku = d.sku and d.after <> d.before`,
    [shopId, now],
  );
}

async function writeLevels(
  client: pg.Client,
  { warehouse }: StockImport,
  newLevels: number,
  now: Date,
): Promise<void> {
  const { rowCount } = await client.query(
    `insert into stock_level (id, warehouse_id, shop_id, sku, on_hand, low_stock_threshold,
       last_seq, counted_at, created_at, updated_at)
     select level_id, $1, $2, sku, quantity, coalesce(threshold, $3), (quantity > 0)::int, $4, $4, $4
     from import_delta where is_new_level order by sku
     on conflict do nothing`,
    [warehouse.id, warehouse.shopId, lowStockThresholdDefault, now],
  );
  if (rowCount !== newLevels) throw new ConcurrentChange();
  await client.query(
    `update stock_level l set on_hand = n.on_hand, unavailable = n.unavailable,
       shortfall = ${shortfallSql('n.')},
       last_seq = d.last_seq + (d.quantity <> d.on_hand)::int + (d.quantity < d.unavailable)::int,
       low_stock_threshold = coalesce(d.threshold, l.low_stock_threshold), counted_at = d.at,
       updated_at = d.at
     from import_delta d, ${unitsAfter}
     where l.shop_id = $1 and l.id = d.level_id and not d.is_new_level`,
    [warehouse.shopId],
  );
}

/** For each level an ADJUSTMENT, and after it an UNAVAILABLE if there are fewer units than were unavailable. */
const writeMovements = (client: pg.Client, { id, actor, warehouse }: StockImport) => {
  const idSql = movementIdSql('(extract(epoch from d.at) * 1000)::bigint', 'm.seq', 'd.tail');
  return client.query(
    `insert into stock_movement (shop_id, level_id, id, seq, type, on_hand_delta, reserved_delta,
       unavailable_delta, on_hand, reserved, committed, unavailable, reference, reason, actor,
       occurred_at, created_at)
     select $4::uuid, d.level_id, ${idSql}, m.seq, m.type, m.on_hand_delta, 0, m.unavailable_delta,
       d.quantity, d.reserved, d.committed, d.unavailable + m.unavailable_delta, $1, $2, $3,
       d.at, d.at
     from import_delta d cross join lateral (
       select d.last_seq + 1 as seq, 'ADJUSTMENT' as type, d.quantity - d.on_hand as on_hand_delta,
         0 as unavailable_delta
       where d.quantity <> d.on_hand
       union all
       select d.last_seq + 2, 'UNAVAILABLE', 0, d.quantity - d.unavailable
       where d.quantity < d.unavailable) m`,
    [id, reason, actor, warehouse.shopId],
  );
};

const topic: Topic = 'warehouse.stock.changed';

/** As `inStockEvent`, for items that are new, came into stock or ran out. */
const writeEvents = (client: pg.Client, shopId: string, now: Date) =>
  client.query(
    `insert into outbox (id, consumer, delivery, topic, key, version, payload)
     select d.id, $2, $4, $3, i.shop_id || ':' || i.sku, i.version,
       jsonb_build_object('shopId', i.shop_id, 'sku', i.sku, 'inStock', i.available > f.fence)
         || case when least(i.available, f.fence) > 0 then '{"saleInStock": true}'::jsonb else '{}' end
     from import_delta d join stock_item i on i.sku = d.sku and i.shop_id = $1
       cross join lateral (select ${fenceSql('i.', '$5::timestamptz')} as fence) f
     where d.item_available is null
       or (d.item_available > f.fence) <> (i.available > f.fence)
       or (least(d.item_available, f.fence) > 0) <> (least(i.available, f.fence) > 0)`,
    [shopId, events[topic].consumer, topic, events[topic].delivery, now],
  );
