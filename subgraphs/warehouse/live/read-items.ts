import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { StockChanged } from '../signals/stock-signals.js';
import { regularUnitsSql } from '../stock/stock-item.js';

const columns = `i.shop_id as "shopId", i.sku, ${regularUnitsSql('i.')} as available, i.version,
  to_char(i.updated_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`;

/** @param rest of the statement, after `from stock_item i` */
export const readItems = (
  em: EntityManager,
  rest: string,
  values: unknown[],
): Promise<StockChanged[]> =>
  sql<StockChanged>(em.fork(), `select ${columns} from stock_item i ${rest}`, values);
