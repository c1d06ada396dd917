import type { EntityManager } from '@mikro-orm/postgresql';
import type { SaleStock } from '../../contracts/warehouse.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { saleUnitsSql } from '../stock/stock-item.js';

/** The units of sales, in one statement and so at one time; in the order of the ids. By the index `sale_item_sale`. */
export async function readSaleStock(
  em: EntityManager,
  saleIds: readonly string[],
): Promise<SaleStock[][]> {
  const rows = await sqlPrepared<SaleStock & { saleId: string }>(
    em,
    `select s.sale_id as "saleId", s.shop_id as "shopId", s.sku, s.allocated, s.held, s.sold,
       ${saleUnitsSql} as remaining
     from sale_item s left join stock_item i on i.shop_id = s.shop_id and i.sku = s.sku
     where s.sale_id = any($1::uuid[]) order by s.shop_id, s.sku`,
    [saleIds],
  );
  const bySale = Map.groupBy(rows, ({ saleId }) => saleId);
  return saleIds.map((id) => (bySale.get(id) ?? []).map(({ saleId: _, ...stock }) => stock));
}
