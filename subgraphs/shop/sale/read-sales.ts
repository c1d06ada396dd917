import { z } from 'zod';
import { sql } from '../../shared/database/sql.js';
import {
  type PageArgs,
  pageRequest,
  pageSize,
  toConnection,
} from '../../shared/graphql/connection.js';
import { type BatchLoad, inOrderOf, loaderOf } from '../../shared/graphql/context.js';
import { readCursor } from '../../shared/graphql/cursor.js';
import { loadBy } from '../../shared/graphql/load.js';
import { loadPages, type PageOfParent } from '../../shared/graphql/load-pages.js';
import { isSelf } from '../../shared/rights/rights.js';
import type { ShopContext } from '../context.js';
import { isOpenSql, pausedMsSql, saleStateSql } from '../sale-window/sale-sql.js';
import { loadShops, type ShopRow } from '../shop/read-shops.js';
import type { SaleLine } from './pending-change.js';
import { SaleEvent, type SaleState } from './sale-event.js';

export const loadSales = loadBy(SaleEvent, 'id');

/** The states of sales, by the clock of PostgreSQL in this read. */
export const loadSaleStates: BatchLoad<string, SaleState, ShopContext> = async (ids, { em }) => {
  const rows = await sql<{ id: string; state: SaleState }>(
    em,
    `select e.id, ${saleStateSql('e', 'now()')} as state from sale_event e where e.id = any($1)`,
    [ids],
  );
  return inOrderOf(ids, rows, ({ id }) => id).map((row) => row?.state as SaleState);
};

/** How long sales have been paused in all, in ms. */
export const loadPausedMs: BatchLoad<string, number, ShopContext> = async (ids, { em }) => {
  const rows = await sql<{ id: string; pausedMs: number }>(
    em,
    `select e.id, ${pausedMsSql('e', 'now()')} as "pausedMs" from sale_event e where e.id = any($1)`,
    [ids],
  );
  return inOrderOf(ids, rows, ({ id }) => id).map((row) => row?.pausedMs ?? 0);
};

/** Null where the user may not see the sale: one that never was published, of somebody else. */
export async function shownSale(context: ShopContext, sale: SaleEvent | null) {
  if (!sale || sale.publishedAt !== null) return sale;
  const { identity } = context;
  if (!identity) return null;
  // Vendors join a platform event before it is published.
  if (sale.shopId === null) return identity.role === 'CUSTOMER' ? null : sale;
  const shop = await loaderOf(context, loadShops).load(sale.shopId);
  return shop && isSelf(context, { id: shop.ownerId }) ? sale : null;
}

const openPlace = z.tuple([z.iso.datetime(), z.guid()]);
/** The longest that a sale may last. With it, those that are not over are found by their starts. */
export const saleDaysMax = 31;

/** A page of the sales that are scheduled, live or paused, in the order of their starts. */
export async function findOpenSales({ em }: ShopContext, { first, after }: PageArgs) {
  const [startsAt, id] = readCursor(after, openPlace) ?? [null, null];
  const rows = await sql<{ id: string }>(
    em,
    `select * from sale_event e where ${isOpenSql('e')}
       and starts_at > now() - interval '${saleDaysMax} days'
       and ($1::timestamptz is null or (starts_at, id) > ($1, $2::uuid))
     order by starts_at, id limit $3`,
    [startsAt, id, pageSize(first) + 1],
  );
  const sales = rows.map((row) => em.map(SaleEvent, row as object));
  return toConnection(sales, first, (sale) => [sale.startsAt.toISOString(), sale.id]);
}

interface PageOfShop extends PageOfParent {
  readonly seesAll: boolean;
}

/** A page of a shop’s sales, newest first. Its owner and admins see those that were never published, too. */
export function salesOfShop(context: ShopContext, shop: ShopRow, { first, after }: PageArgs) {
  const seesAll = isSelf(context, { id: shop.ownerId });
  const page = { parentId: shop.id, seesAll, ...pageRequest(first, after) };
  return loaderOf(context, loadSalesOfShops).load(page);
}

const loadSalesOfShops = loadPages<PageOfShop, SaleEvent>({
  order: 'desc',
  alikeBy: ({ seesAll }) => seesAll,
  sqlOf: ([page]) => ({
    select: `select * from sale_event
      where shop_id = parent.id ${page?.seesAll ? '' : 'and published_at is not null'}`,
  }),
  toRow: (row, em) => em.map(SaleEvent, row),
});

/** An offer in a sale, as plain data. Its id is that of the offer. */
export interface SaleOfferRow extends SaleLine {
  readonly id: string;
  readonly saleId: string;
  readonly shopId: string;
  readonly sku: string;
  readonly currencyCode: string;
}

const loadSaleOffers = loadPages<PageOfParent, SaleOfferRow>({
  order: 'asc',
  sqlOf: () => ({
    select: `select * from (
        select s.offer_id as id, s.offer_id as "offerId", s.sale_id as "saleId",
          o.shop_id as "shopId", o.sku, o.currency_code as "currencyCode",
          s.price_amount as "priceAmount", s.allocation,
          s.limit_per_customer as "limitPerCustomer", s.when_sold_out as "whenSoldOut"
        from sale_offer s join offer o on o.id = s.offer_id
        where s.sale_id = parent.id) as line where true`,
  }),
  toRow: (row) => row as SaleOfferRow,
});

/** A page of the offers of a sale, in the order in which their shops made them. */
export const offersOfSale = (context: ShopContext, saleId: string, page: PageArgs) =>
  loaderOf(context, loadSaleOffers).load({
    parentId: saleId,
    ...pageRequest(page.first, page.after),
  });
