import { z } from 'zod';
import { sql } from '../../../shared/database/sql.js';
import {
  type Connection,
  type PageArgs,
  pageSize,
  toConnection,
} from '../../../shared/graphql/connection.js';
import type { BatchLoad } from '../../../shared/graphql/context.js';
import { readCursor } from '../../../shared/graphql/cursor.js';
import type { OrderContext } from '../../context.js';

type Reader = Pick<OrderContext, 'em'>;

/** A sale, and those of its shops that are meant. */
export interface ShopsOfSale {
  readonly saleId: string;
  readonly shopIds: readonly string[];
}

export interface RefusalCount {
  readonly kind: string;
  readonly count: number;
}

/** Refusals of one kind in one minute. */
export interface RefusalsOfMinute extends RefusalCount {
  readonly id: string;
  readonly minute: Date;
}

const shopsJson = (keys: readonly ShopsOfSale[]) =>
  JSON.stringify(keys.map(({ saleId, shopIds }, n) => ({ n, sale_id: saleId, shop_ids: shopIds })));
const requestSql =
  'jsonb_to_recordset($1::jsonb) as request (n int, sale_id uuid, shop_ids uuid[])';

/** All refusals of each sale by kind, the most frequent first. */
export const loadRefusalTotals: BatchLoad<ShopsOfSale, RefusalCount[], Reader> = async (
  keys,
  { em },
) => {
  const rows = await sql<RefusalCount & { n: number }>(
    em,
    `select request.n, r.kind, sum(r.count)::int as count
     from ${requestSql}
       join sale_refusal r on r.sale_id = request.sale_id and r.shop_id = any(request.shop_ids)
     group by request.n, r.kind order by count desc, r.kind`,
    [shopsJson(keys)],
  );
  const byKey = Map.groupBy(rows, ({ n }) => n);
  return keys.map((_, n) => byKey.get(n) ?? []);
};

interface PageOfRefusals extends ShopsOfSale {
  readonly first: number;
  readonly after: { readonly minute: string; readonly kind: string } | null;
}

const place = z.tuple([z.iso.datetime(), z.string()]);

/** @throws `BAD_USER_INPUT` */
export function pageOfRefusals(sale: ShopsOfSale, { first, after }: PageArgs): PageOfRefusals {
  const [minute, kind] = readCursor(after, place) ?? [];
  const { saleId, shopIds } = sale;
  const from = minute !== undefined && kind !== undefined ? { minute, kind } : null;
  return { saleId, shopIds, first: pageSize(first), after: from };
}

/** Pages of refusals by minute and kind, newest first; pages of the same size and place in one statement. */
export const loadRefusals: BatchLoad<PageOfRefusals, Connection<RefusalsOfMinute>, Reader> = async (
  pages,
  { em },
) => {
  const found = new Map<PageOfRefusals, Connection<RefusalsOfMinute>>();
  const groups = Map.groupBy(pages, ({ first, after }) => JSON.stringify([first, after]));
  for (const alike of groups.values()) {
    const { first, after } = alike[0] as PageOfRefusals;
    const rows = await sql<Omit<RefusalsOfMinute, 'id' | 'minute'> & { n: number; minute: string }>(
      em,
      `select request.n, list.* from ${requestSql}
       cross join lateral (
         select minute, kind, sum(count)::int as count from sale_refusal r
         where r.sale_id = request.sale_id and r.shop_id = any(request.shop_ids)
           and ($2::timestamptz is null or (minute, kind) < ($2, $3::text))
         group by minute, kind order by minute desc, kind desc limit $4) as list
       order by list.minute desc, list.kind desc`,
      [shopsJson(alike), after?.minute ?? null, after?.kind ?? null, first + 1],
    );
    const byPage = Map.groupBy(rows, ({ n }) => n);
    for (const [n, page] of alike.entries()) {
      const list = (byPage.get(n) ?? []).map(({ n: _, minute, kind, count }) => {
        return { id: kind, minute: new Date(minute), kind, count };
      });
      found.set(
        page,
        toConnection(list, first, (row) => [row.minute.toISOString(), row.kind]),
      );
    }
  }
  return pages.map((page) => found.get(page) as Connection<RefusalsOfMinute>);
};
