import type pg from 'pg';
import { events, type Topic } from '../../contracts/events.js';
import { isDeadlock, isUniqueViolation } from '../../shared/database/errors.js';
import { tryAgain } from '../../shared/errors.js';
import { unitsPerItemMax } from '../stock/ledger.js';
import { availableUnitsSql, shortfallSql } from '../stock/level-units.js';
import { ConcurrentChange } from '../stock/stock-errors.js';
import { lowStockThresholdDefault } from '../stock/stock-level.js';
import { InvalidRows, invalidRowsListedMax } from './invalid-rows.js';

export interface StockImport {
  /** the reference of the movements that it writes */
  readonly id: string;
  readonly warehouse: { readonly id: string; readonly shopId: string };
  /** the id of the user who imports */
  readonly actor: string;
}

export interface Applied {
  /** levels with another quantity or threshold than before, new ones included */
  readonly levelsChanged: number;
  /** how long the items were locked */
  readonly lockedMs: number;
}

const reason = 'CSV import';
/**
 * `n`: the units of the level of a row `d` afterwards. As in `correctOnHand`, unavailable units beyond
 * those on hand are gone.
 */
const unitsAfter = `lateral (select d.quantity as on_hand, d.reserved, d.committed,
  least(d.unavailable, d.quantity) as unavailable, d.buffer) n`;
const attemptsMax = 5;

/**
 * Sets levels to the staged rows, all or none, in one transaction. It does for a whole file, in
 * sets, what the `Ledger` does for some rows: the same locks in the same order, and with each level
 * its movement, its item and, if the item came into stock or ran out, the event for the product
 * subgraph. Levels that already equal the file are neither locked nor written.
 *
 * @throws `BAD_USER_INPUT` for rows with which a variant has too many units; `TRY_AGAIN`
 */
export async function applyRows(client: pg.Client, stockImport: StockImport): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query('begin');
      return await applyOnce(client, stockImport);
    } catch (error) {
      await client.query('rollback').catch(() => {});
      const isRepeatable =
        isDeadlock(error) || error instanceof ConcurrentChange || isUniqueViolation(error);
      if (!isRepeatable) throw error;
      if (attempt === attemptsMax) {
        throw tryAgain('This stock is being changed by others. Please send the file again.');
      }
    }
  }
}

async function applyOnce(client: pg.Client, stockImport: StockImport): Promise<Applied> {
  const { id: warehouseId, shopId } = stockImport.warehouse;
  await findChanges(client, warehouseId);
  const lockedAt = performance.now();
  await lockItems(client, shopId);
  const active = await lockWarehouse(client, warehouseId);
  const now = await readTime(client, warehouseId);
  const counts = await readLevels(client, stockImport, now);
  await checkRoom(client, shopId);
  await writeItems(client, shopId, active, counts.newItems, now);
  await writeLevels(client, stockImport, counts.newLevels, now);
  await writeMovements(client, stockImport, now);
  await writeEvents(client, shopId);
  await client.query('commit');
  return { levelsChanged: counts.changed, lockedMs: Math.round(performance.now() - lockedAt) };
}

/** @returns whether it is active, which does not change before COMMIT */
async function lockWarehouse(client: pg.Client, warehouseId: string): Promise<boolean> {
  const { rows } = await client.query<{ active: boolean }>(
    'select active from warehouse where id = $1 for share',
    [warehouseId],
  );
  return rows[0]?.active ?? false;
}

async function findChanges(client: pg.Client, warehouseId: string): Promise<void> {
  await client.query(
    `insert into import_change (line, sku, quantity, threshold)
     select f.* from import_row f
     left join stock_level l on l.sku = f.sku and l.warehouse_id = $1
     where l.id is null or l.on_hand <> f.quantity or l.low_stock_threshold <> f.threshold`,
    [warehouseId],
  );
  // Without it `lockItems` is planned for a few rows, and the items stay locked for longer.
  await client.query('analyze import_change');
}

/**
 * Every change of a level holds the lock of its item, so that these locks keep levels from
 * changing.
 */
const lockItems = (client: pg.Client, shopId: string) =>
  client.query(
    `select count(*) from (
       select from stock_item where shop_id = $1 and sku in (select sku from import_change)
       order by shop_id, sku for update) locked`,
    [shopId],
  );

/** By PostgreSQL’s clock, behind the locks, and not before the last change of a level. */
async function readTime(client: pg.Client, warehouseId: string): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>(
    `select greatest(clock_timestamp(), max(updated_at)) as now
     from stock_level l join import_change c using (sku) where warehouse_id = $1`,
    [warehouseId],
  );
  return rows[0]?.now as Date;
}

/** The units of a variant in all warehouses of the shop must fit an Int, as `Ledger.hasRoom`. */
async function checkRoom(client: pg.Client, shopId: string): Promise<void> {
  const warehouses = await client.query<{ id: string }>(
    'select id from warehouse where shop_id = $1',
    [shopId],
  );
  // By warehouse, for which there is an index.
  const { rows } = await client.query<{ line: number; sku: string; count: number }>(
    `select d.line, d.sku, count(*) over ()::int as count
     from import_delta d
       join (select sku, sum(on_hand::bigint + incoming) as units from stock_level
             where warehouse_id = any($1::uuid[])
               and sku in (select sku from import_delta where quantity > on_hand)
             group by sku) item using (sku)
     where d.quantity > d.on_hand and item.units + d.quantity - d.on_hand > ${unitsPerItemMax}
     order by d.line limit ${invalidRowsListedMax}`,
    [warehouses.rows.map(({ id }) => id)],
  );
  if (rows.length === 0) return;
  const invalid = new InvalidRows();
  const found = rows.map(({ line, sku }) => {
    return {
      line,
      sku,
      reason: `a variant has at most ${unitsPerItemMax} units in all warehouses`,
    };
  });
  invalid.addFound(found, rows[0]?.count ?? 0);
  throw invalid.toError();
}

/**
 * A UUIDv7 of the time `$1`, in Unix ms, from the same clock as the ids of all other movements. A
 * row uses it for all that it creates: a level, a movement, a message.
 */
const idOfRow = `encode(set_bit(set_bit(overlay(uuid_send(c.tail)
  placing substring(int8send($1::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

async function readLevels(client: pg.Client, { warehouse }: StockImport, now: Date) {
  await client.query(
    `insert into import_delta (line, sku, quantity, threshold, id, level_id, is_new_level, on_hand,
       reserved, committed, unavailable, buffer, item_available)
     select c.line, c.sku, c.quantity, c.threshold, c.id, coalesce(l.id, c.id), l.id is null,
       coalesce(l.on_hand, 0), coalesce(l.reserved, 0), coalesce(l.committed, 0),
       coalesce(l.unavailable, 0), coalesce(l.buffer, 0), i.available
     from (select c.*, ${idOfRow} as id from import_change c) c
     left join stock_level l on l.sku = c.sku and l.warehouse_id = $2
     left join stock_item i on i.sku = c.sku and i.shop_id = $3`,
    [now.getTime(), warehouse.id, warehouse.shopId],
  );
  const { rows } = await client.query<{ changed: number; newLevels: number; newItems: number }>(
    `select count(*)::int as changed,
       count(*) filter (where is_new_level)::int as "newLevels",
       count(*) filter (where item_available is null)::int as "newItems"
     from import_delta`,
  );
  return rows[0] as { changed: number; newLevels: number; newItems: number };
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
       counted_at, created_at, updated_at)
     select level_id, $1, $2, sku, quantity, coalesce(threshold, $3), $4, $4, $4
     from import_delta where is_new_level order by sku
     on conflict do nothing`,
    [warehouse.id, warehouse.shopId, lowStockThresholdDefault, now],
  );
  if (rowCount !== newLevels) throw new ConcurrentChange();
  await client.query(
    `update stock_level l set on_hand = n.on_hand, unavailable = n.unavailable,
       shortfall = ${shortfallSql('n.')},
       low_stock_threshold = coalesce(d.threshold, l.low_stock_threshold), counted_at = $1,
       updated_at = $1
     from import_delta d, ${unitsAfter} where l.id = d.level_id and not d.is_new_level`,
    [now],
  );
}

const writeMovements = (client: pg.Client, { id, actor }: StockImport, now: Date) =>
  client.query(
    `insert into stock_movement (id, level_id, type, on_hand_delta, reserved_delta,
       unavailable_delta, reference, reason, actor, occurred_at, created_at)
     select id, level_id, 'ADJUSTMENT', quantity - on_hand, 0, 0, $1, $2, $3, $4::timestamptz,
       $4::timestamptz
     from import_delta where quantity <> on_hand
     union all
     select encode(set_byte(uuid_send(id), 15, get_byte(uuid_send(id), 15) # 1), 'hex')::uuid, level_id,
       'UNAVAILABLE', 0, 0, quantity - unavailable, $1, $2, $3, $4::timestamptz, $4::timestamptz
     from import_delta where quantity < unavailable`,
    [id, reason, actor, now],
  );

const topic: Topic = 'warehouse.stock.changed';

/** As `inStockEvent`, for items that are new, came into stock or ran out. */
const writeEvents = (client: pg.Client, shopId: string) =>
  client.query(
    `insert into outbox (id, consumer, topic, key, version, payload)
     select d.id, $2, $3, i.shop_id || ':' || i.sku, i.version,
       jsonb_build_object('shopId', i.shop_id, 'sku', i.sku, 'inStock', i.available > 0)
     from import_delta d join stock_item i on i.sku = d.sku and i.shop_id = $1
     where d.item_available is null or (d.item_available > 0) <> (i.available > 0)`,
    [shopId, events[topic].consumer, topic],
  );
