import type { EntityManager } from '@mikro-orm/postgresql';
import { stringify } from 'csv-stringify/sync';
import { sql } from '../../shared/database/sql.js';
import type { InShop } from '../locks.js';
import { columns } from './read-rows.js';

const rowsPerPage = 2000;

interface Row {
  readonly id: string;
  readonly sku: string;
  readonly quantity: number;
  readonly threshold: number;
  readonly expected: number;
}

/**
 * The levels of a warehouse as a file that can be imported, page by page, the oldest level first.
 * Each page is read by itself, so that a slow client keeps no transaction open.
 */
export async function* exportStock(
  em: EntityManager,
  { shopId, id }: InShop,
): AsyncGenerator<string> {
  yield stringify([columns]);
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const rows = await sql<Row>(
      em,
      `select id, sku, on_hand as quantity, low_stock_threshold as threshold, on_hand as expected
       from stock_level where shop_id = $1 and warehouse_id = $2 and id > $3
       order by id limit ${rowsPerPage}`,
      [shopId, id, after],
    );
    if (rows.length > 0) yield stringify(rows, { columns: [...columns] });
    if (rows.length < rowsPerPage) return;
    after = rows.at(-1)?.id as string;
  }
}
