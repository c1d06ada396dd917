import type pg from 'pg';
import { events, type Topic } from '../../contracts/events.js';
import { isDeadlock, isUniqueViolation } from '../../shared/database/errors.js';
import { tryAgain } from '../../shared/errors.js';
import { ConcurrentChange } from '../stock/stock-errors.js';
import { lowStockThresholdDefault } from '../stock/stock-level.js';
import { InvalidRows } from './invalid-rows.js';
import { checkBelowReserved } from './stage-rows.js';

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
const attemptsMax = 5;

/**
 * Sets levels to the staged rows, all or none, in one transaction. It does for a whole file, in
 * sets, what the `Ledger` does for some rows: the same locks in the same order, and with each level
 * its movement, its item and, if the item came into stock or ran out, the event for the product
 * subgraph. Levels that already equal the file are neither locked nor written.
 *
 * @throws `BAD_USER_INPUT` for rows below what is reserved by now; `TRY_AGAIN`
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
  const active = await lockWarehouse(client, warehouseId);
  await findChanges(client, warehouseId);
  const lockedAt = performance.now();
  await lockItems(client, shopId);
  const now = new Date();
  const counts = await readLevels(client, stockImport, now);
  const invalid = new InvalidRows();
  await checkBelowReserved(client, invalid, { from: 'import_delta f', reserved: 'f.reserved' });
  if (invalid.count > 0) throw invalid.toError();
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

/**
 * A UUIDv7 of the time `$1`, in Unix ms, from the same clock as the ids of all other movements. A
 * row uses it for all that it creates: a level, a movement, a message.
 */
const idOfRow = `encode(set_bit(set_bit(overlay(uuid_send(c.tail)
  placing substring(int8send($1::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid`;

async function readLevels(client: pg.Client, { warehouse }: StockImport, now: Date) {
  await client.query(
    `insert into import_delta (line, sku, quantity, threshold, id, level_id, is_new_level, on_hand,
       reserved, available_before)
     select c.line, c.sku, c.quantity, c.threshold, c.id, coalesce(l.id, c.id), l.id is null,
       coalesce(l.on_hand, 0), coalesce(l.reserved, 0), i.available
     from (select c.*, ${idOfRow} as id from import_change c) c
     left join stock_level l on l.sku = c.sku and l.warehouse_id = $2
     left join stock_item i on i.sku = c.sku and i.shop_id = $3`,
    [now.getTime(), warehouse.id, warehouse.shopId],
  );
  const { rows } = await client.query<{ changed: number; newLevels: number; newItems: number }>(
    `select count(*)::int as changed,
       count(*) filter (where is_new_level)::int as "newLevels",
       count(*) filter (where available_before is null)::int as "newItems"
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
     from import_delta where available_before is null order by sku
     on conflict do nothing`,
    [shopId, active, now],
  );
  if (rowCount !== newItems) throw new ConcurrentChange();
  if (!active) return;
  await client.query(
    `update stock_item i set available = i.available + d.quantity - d.on_hand,
       version = i.version + 1, updated_at = $2
     from import_delta d
     where i.shop_id = $1 and i.sku = d.sku and d.available_before is not null
       and d.quantity <> d.on_hand`,
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
       created_at, updated_at)
     select level_id, $1, $2, sku, quantity, coalesce(threshold, $3), $4, $4
     from import_delta where is_new_level order by sku
     on conflict do nothing`,
    [warehouse.id, warehouse.shopId, lowStockThresholdDefault, now],
  );
  if (rowCount !== newLevels) throw new ConcurrentChange();
  await client.query(
    `update stock_level l set on_hand = d.quantity,
       low_stock_threshold = coalesce(d.threshold, l.low_stock_threshold), updated_at = $1
     from import_delta d where l.id = d.level_id and not d.is_new_level`,
    [now],
  );
}

const writeMovements = (client: pg.Client, { id, actor }: StockImport, now: Date) =>
  client.query(
    `insert into stock_movement
       (id, level_id, type, on_hand_delta, reserved_delta, reference, reason, actor, created_at)
     select id, level_id, 'ADJUSTMENT', quantity - on_hand, 0, $1, $2, $3, $4
     from import_delta where quantity <> on_hand`,
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
     where d.available_before is null or (d.available_before > 0) <> (i.available > 0)`,
    [shopId, events[topic].consumer, topic],
  );
