import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { StockChanged } from '../signals/stock-signals.js';

const columns = 'i.shop_id as "shopId", i.sku, i.available, i.version, i.updated_at as at';

/** @param rest of the statement, after `from stock_item i` */
export async function readItems(
  em: EntityManager,
  rest: string,
  values: unknown[],
): Promise<StockChanged[]> {
  const rows = await sql<StockChanged>(
    em.fork(),
    `select ${columns} from stock_item i ${rest}`,
    values,
  );
  return rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() }));
}
