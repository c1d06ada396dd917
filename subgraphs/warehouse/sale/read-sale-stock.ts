import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleKey } from '../../contracts/sale.js';
import type { SaleStock, SaleUnits } from '../../contracts/warehouse.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { saleOpenSql, saleUnitsSql } from '../stock/stock-item.js';

const columns = `s.shop_id as "shopId", s.sku, s.allocated, s.held, s.sold, ${saleUnitsSql} as remaining`;
const item = 'left join stock_item i on i.shop_id = s.shop_id and i.sku = s.sku';

/** The units of sales, in one statement and so at one time; in the order of the ids. By the index `sale_item_sale`. */
export async function readSaleStock(
  em: EntityManager,
  saleIds: readonly string[],
): Promise<SaleStock[][]> {
  const rows = await sqlPrepared<SaleStock & { saleId: string }>(
    em,
    `select s.sale_id as "saleId", ${columns} from sale_item s ${item}
     where s.sale_id = any($1::uuid[]) order by s.shop_id, s.sku`,
    [saleIds],
  );
  const bySale = Map.groupBy(rows, ({ saleId }) => saleId);
  return saleIds.map((id) => (bySale.get(id) ?? []).map(({ saleId: _, ...stock }) => stock));
}

/** The units of variants in sales, null for one without an allocation; in the order of the keys. By the primary key. */
export async function readSaleUnits(
  em: EntityManager,
  keys: readonly SaleKey[],
): Promise<(SaleUnits | null)[]> {
  const rows = await sqlPrepared<SaleUnits & { at: number }>(
    em,
    `select k.at::int as at, ${columns}, ${saleOpenSql} as "isOpen"
     from unnest($1::uuid[], $2::uuid[], $3::varchar[]) with ordinality as k (shop_id, sale_id, sku, at)
       join sale_item s on s.shop_id = k.shop_id and s.sale_id = k.sale_id and s.sku = k.sku ${item}`,
    [
      keys.map(({ shopId }) => shopId),
      keys.map(({ saleId }) => saleId),
      keys.map(({ sku }) => sku),
    ],
  );
  const found: (SaleUnits | null)[] = keys.map(() => null);
  for (const { at, ...stock } of rows) found[at - 1] = stock;
  return found;
}
