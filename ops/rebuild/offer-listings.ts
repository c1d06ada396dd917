import { isOpenSql, isoSql } from '../../subgraphs/shop/sale-window/sale-sql.js';
import { fenceSql, regularUnitsSql } from '../../subgraphs/warehouse/stock/stock-item.js';
import type { Reader } from '../databases/clients.js';

/** The window of a sale and its price, as JSON of PostgreSQL. */
export interface ListedSale {
  readonly id: string;
  readonly price: string;
  /** the price before and after it */
  readonly regular: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly paused: boolean;
}

/** A row of product's offer listing, computed from shop and warehouse. */
export interface Listing {
  readonly shopId: string;
  readonly sku: string;
  readonly productId: string;
  readonly offerId: string | null;
  /** the current one */
  readonly price: string | null;
  readonly currencyCode: string | null;
  readonly active: boolean;
  readonly offerVersion: number;
  /** whether it is the price of a sale */
  readonly live: boolean;
  /** null without a sale that is open */
  readonly sale: ListedSale | null;
  /** at the current price */
  readonly inStock: boolean;
  /** at the regular price */
  readonly regularInStock: boolean;
  /** of the units that are set aside for a sale */
  readonly saleInStock: boolean;
  readonly stockVersion: number;
}

interface Variant {
  readonly sku: string;
  readonly productId: string;
  readonly deleted: boolean;
  /** when this was read, by product's clock; the sources are read later */
  readonly readAt: string;
}

const pageMax = 2000;

/**
 * Pages of skus, with the listings that they should have.
 *
 * @param chosen null for all skus
 */
export async function* listingsBySku(
  { product, shop, warehouse }: Readonly<Record<'product' | 'shop' | 'warehouse', Reader>>,
  chosen: readonly string[] | null = null,
) {
  let after = '';
  for (;;) {
    const { rows: variants } = await product.query<Variant>(
      `select sku, product_id as "productId", deleted_at is not null as deleted,
         now()::text as "readAt"
       from product_variant
       where sku > $1 ${chosen ? 'and sku = any($2)' : ''} order by sku limit ${pageMax}`,
      [after, ...(chosen ? [chosen] : [])],
    );
    if (variants.length === 0) return;
    const skus = variants.map(({ sku }) => sku);
    const bySku = new Map(variants.map((variant) => [variant.sku, variant]));
    const listings = new Map<string, Listing>();
    const put = (shopId: string, sku: string, part: Partial<Listing>) => {
      const key = `${shopId} ${sku}`;
      const { productId } = bySku.get(sku) as Variant;
      listings.set(key, { ...empty, ...listings.get(key), shopId, sku, productId, ...part });
    };
    for (const offer of await offersOf(shop, skus)) {
      const active = offer.active && !(bySku.get(offer.sku) as Variant).deleted;
      put(offer.shopId, offer.sku, { ...offer, active });
    }
    for (const { shopId, sku, ...stock } of await stockOf(warehouse, skus)) {
      const live = listings.get(`${shopId} ${sku}`)?.live ?? false;
      const inStock = stock.regularInStock || (stock.saleInStock && live);
      put(shopId, sku, { ...stock, inStock });
    }
    yield { skus, listings, readAt: variants[0]?.readAt as string };
    after = skus.at(-1) as string;
  }
}

const empty = {
  offerId: null,
  price: null,
  currencyCode: null,
  active: false,
  offerVersion: 0,
  live: false,
  sale: null,
  inStock: false,
  regularInStock: false,
  saleInStock: false,
  stockVersion: 0,
};

interface SourceOffer {
  readonly shopId: string;
  readonly sku: string;
  readonly offerId: string;
  readonly price: string;
  readonly currencyCode: string;
  readonly active: boolean;
  readonly offerVersion: number;
  readonly live: boolean;
  readonly sale: ListedSale | null;
}

/** SQL for a `ListedSale`. */
export const listedSaleSql = (columns: Readonly<Record<keyof ListedSale, string>>): string =>
  `case when ${columns.id} is not null then jsonb_build_object('id', ${columns.id},
    'price', ${columns.price}::text, 'regular', ${columns.regular}::text,
    'startsAt', ${isoSql(columns.startsAt)}, 'endsAt', ${isoSql(columns.endsAt)},
    'paused', ${columns.paused}) end`;

const saleOfOffer = listedSaleSql({
  id: 's.sale_id',
  price: 's.price_amount',
  regular: 'o.price_amount',
  startsAt: 'e.starts_at',
  endsAt: 'e.ends_at',
  paused: `e.status = 'PAUSED'`,
});

/** The newest offer of each shop and sku; ids are ordered by time. */
async function offersOf(shop: Reader, skus: string[]): Promise<SourceOffer[]> {
  const { rows } = await shop.query<SourceOffer>(
    `select distinct on (o.shop_id, o.sku) o.shop_id as "shopId", o.sku, o.id as "offerId",
       case when l.live then s.price_amount else o.price_amount end as price, l.live,
       o.currency_code as "currencyCode", o.active, o.version as "offerVersion",
       ${saleOfOffer} as sale
     from offer o left join sale_event e on e.id = o.sale_id and ${isOpenSql('e')}
       left join sale_offer s on s.sale_id = e.id and s.offer_id = o.id
       cross join lateral (select coalesce(
         e.status = 'PUBLISHED' and e.starts_at <= now() and s.offer_id is not null, false) as live) l
     where o.sku = any($1) order by o.shop_id, o.sku, o.id desc`,
    [skus],
  );
  return rows;
}

async function stockOf(warehouse: Reader, skus: string[]) {
  const { rows } = await warehouse.query<{
    shopId: string;
    sku: string;
    regularInStock: boolean;
    saleInStock: boolean;
    stockVersion: number;
  }>(
    `select shop_id as "shopId", sku, ${regularUnitsSql()} > 0 as "regularInStock",
       least(available, ${fenceSql()}) > 0 as "saleInStock", version as "stockVersion"
     from stock_item where sku = any($1)`,
    [skus],
  );
  return rows;
}
