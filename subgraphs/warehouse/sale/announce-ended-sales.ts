import type { EntityManager } from '@mikro-orm/postgresql';
import type { StockKey } from '../../contracts/stock-key.js';
import { sql } from '../../shared/database/sql.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { lockItems } from '../locks.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { moveStock } from '../stock/move-stock.js';
import { inStockEvent, regularUnitsSql, StockItem } from '../stock/stock-item.js';
import type { StockStore } from '../stock/stock-store.js';

const batchMax = 200;

/**
 * Publishes the units of items whose sale has ended: these are available by PostgreSQL’s clock, so that no change
 * of a row shows them. Nothing is decided here. If it is late, what people see is late, and sales are not.
 */
export async function announceEndedSales(
  store: StockStore,
  isStopping: () => boolean,
): Promise<void> {
  while (!isStopping()) {
    const due = await readDue(store.orm.em.fork());
    if (due.length > 0) {
      await moveStock(store, (em) => announce(em, due), {
        signalsOf: (changed) => ({ changed }),
        isStored: (em, changed) => areAnnounced(em, changed),
      });
    }
    if (due.length < batchMax) return;
  }
}

/** By the index `stock_item_end_due`. */
const readDue = (em: EntityManager) =>
  sql<StockKey>(
    em,
    `select shop_id as "shopId", sku from stock_item
     where end_due_at is not null and end_due_at <= clock_timestamp()
     order by end_due_at limit ${batchMax}`,
  );

const columnsOf = (keys: readonly StockKey[]) => [
  keys.map(({ shopId }) => shopId),
  keys.map(({ sku }) => sku),
];

/** Another process may have done it meanwhile, or another sale may have begun. */
async function announce(em: EntityManager, due: readonly StockKey[]): Promise<StockChanged[]> {
  await lockItems(em, due, StockItem);
  const rows = await sql<StockChanged>(
    em,
    `update stock_item i set end_due_at = null, version = version + 1, updated_at = now()
     from unnest($1::uuid[], $2::varchar[]) as k (shop_id, sku)
     where i.shop_id = k.shop_id and i.sku = k.sku and end_due_at <= clock_timestamp()
     returning i.shop_id as "shopId", i.sku, ${regularUnitsSql('i.')} as available, version,
       updated_at as at`,
    columnsOf(due),
  );
  const events = rows.map((row) => inStockEvent(row, { regular: row.available, inSale: 0 }));
  await enqueue(em, events);
  return rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
}

async function areAnnounced(em: EntityManager, changed: readonly StockChanged[]) {
  const rows = await sql(
    em,
    `select from stock_item i join unnest($1::uuid[], $2::varchar[], $3::int[])
       as k (shop_id, sku, version) using (shop_id, sku) where i.version >= k.version`,
    [...columnsOf(changed), changed.map(({ version }) => version)],
  );
  return rows.length === changed.length;
}
