import type pg from 'pg';
import { summarizeListedPrices } from '../../subgraphs/product/offer-listing/listed-price.js';
import { isLive, saleColumns } from '../../subgraphs/product/offer-listing/sale-window.js';
import { withDatabases } from '../databases/clients.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { type Listing, listingsBySku } from './offer-listings.js';
import { renameMisnamed } from './offer-names.js';

/**
 * Rebuilds product's offer listing from shop and warehouse, and the names of shop's offers from product,
 * while they run: a row with a newer version from an event is not changed.
 *
 * @returns the number of listings
 */
export async function rebuildProjections(urls: DatabaseUrls): Promise<number> {
  return withDatabases(urls, 'rebuild', async (databases) => {
    let count = 0;
    for await (const { skus, listings, readAt } of listingsBySku(databases)) {
      await write(databases.product, { skus, readAt }, [...listings.values()]);
      count += listings.size;
    }
    await renameMisnamed(databases);
    return count;
  });
}

interface Page {
  readonly skus: string[];
  /** when reading the sources began; a listing written later may be newer */
  readonly readAt: string;
}

async function write(product: pg.Client, { skus, readAt }: Page, listings: Listing[]) {
  const rows = listings.map((each) => ({
    shop_id: each.shopId,
    sku: each.sku,
    product_id: each.productId,
    offer_id: each.offerId,
    price_amount: each.sale?.regular ?? each.price,
    currency_code: each.currencyCode,
    active: each.active,
    offer_version: each.offerVersion,
    regular_in_stock: each.regularInStock,
    sale_in_stock: each.saleInStock,
    stock_version: each.stockVersion,
    sale_id: each.sale?.id,
    sale_amount: each.sale?.price,
    sale_starts_at: each.sale?.startsAt,
    sale_ends_at: each.sale?.endsAt,
    sale_paused: each.sale?.paused ?? false,
  }));
  await product.query('begin');
  // As every writer of listings: only one at a time may write the summary of a product.
  const { rows: locked } = await product.query<{ id: string }>(
    `select id from product where id in (select product_id from product_variant where sku = any($1))
     order by id for no key update`,
    [skus],
  );
  await product.query(
    `with made as (
       select o.shop_id, o.sku, o.product_id, o.offer_id, o.currency_code, o.active,
         o.offer_version, o.regular_in_stock or (o.sale_in_stock and ${isLive('sale')}) as in_stock,
         o.regular_in_stock, o.sale_in_stock, o.stock_version, sale.*
       from jsonb_populate_recordset(null::offer_listing, $1) as o
       cross join lateral (select ${saleColumns.values}) as sale (${saleColumns.names})
     ),
     gone as (
       delete from offer_listing l where sku = any($2) and updated_at < $3
         and not exists (select 1 from made m where m.shop_id = l.shop_id and m.sku = l.sku)
     )
     insert into offer_listing as l (shop_id, sku, product_id, offer_id, currency_code, active,
       offer_version, in_stock, regular_in_stock, sale_in_stock, stock_version,
       ${saleColumns.names})
     select * from made order by sku, shop_id
     on conflict (shop_id, sku) do update set
       product_id = excluded.product_id, offer_id = excluded.offer_id,
       currency_code = excluded.currency_code, ${saleColumns.excluded},
       active = excluded.active, offer_version = excluded.offer_version,
       in_stock = excluded.in_stock, regular_in_stock = excluded.regular_in_stock,
       sale_in_stock = excluded.sale_in_stock, stock_version = excluded.stock_version, updated_at = now()
     where (l.offer_id is null or (excluded.offer_id, excluded.offer_version) >= (l.offer_id, l.offer_version))
       and excluded.stock_version >= l.stock_version
       and (l.product_id, l.offer_id, l.price_amount, l.currency_code, l.active, l.offer_version,
            l.in_stock, l.regular_in_stock, l.sale_in_stock, l.stock_version, l.regular_amount, l.sale_id, l.sale_amount,
            l.sale_starts_at, l.sale_ends_at, l.sale_paused, l.sale_due_at)
         is distinct from (excluded.product_id, excluded.offer_id, excluded.price_amount,
            excluded.currency_code, excluded.active, excluded.offer_version, excluded.in_stock,
            excluded.regular_in_stock, excluded.sale_in_stock, excluded.stock_version, excluded.regular_amount, excluded.sale_id,
            excluded.sale_amount, excluded.sale_starts_at, excluded.sale_ends_at,
            excluded.sale_paused, excluded.sale_due_at)`,
    [JSON.stringify(rows), skus, readAt],
  );
  await product.query(summarizeListedPrices, [locked.map(({ id }) => id)]);
  await product.query('commit');
}
