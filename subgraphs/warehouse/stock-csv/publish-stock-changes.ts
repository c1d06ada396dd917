import type pg from 'pg';
import type { StockChanged, StockSignals } from '../signals/stock-signals.js';
import { regularUnitsSql } from '../stock/stock-item.js';

const changesPerRead = 5000;

/** Publishes the changes of items page by page, so that no more than one page is in memory. */
export async function publishStockChanges(
  client: pg.Client,
  signals: StockSignals,
  shopId: string,
): Promise<void> {
  for (let after = 0; ; ) {
    const { rows } = await client.query<Omit<StockChanged, 'at'> & { at: Date; line: number }>(
      `select line, i.shop_id as "shopId", i.sku,
         ${regularUnitsSql('i.')} as available, i.version, i.updated_at as at
       from (select line, sku from import_delta where line > $2 and quantity <> on_hand
             order by line limit ${changesPerRead}) d
       join stock_item i on i.sku = d.sku and i.shop_id = $1 order by line`,
      [shopId, after],
    );
    signals.send({
      changed: rows.map(({ line: _, at, ...row }) => ({ ...row, at: at.toISOString() })),
    });
    if (rows.length < changesPerRead) return;
    after = rows.at(-1)?.line ?? 0;
  }
}
