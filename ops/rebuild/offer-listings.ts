import { regularUnitsSql } from '../../subgraphs/warehouse/stock/stock-item.js';
import type { Reader } from '../databases/clients.js';

/** A row of product's offer listing, computed from shop and warehouse. */
export interface Listing {
  readonly shopId: string;
  readonly sku: string;
  readonly productId: string;
  readonly offerId: string | null;
  readonly price: string | null;
  readonly currencyCode: string | null;
  readonly active: boolean;
  readonly offerVersion: number;
  readonly inStock: boolean;
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
    for (const { shopId, sku, inStock, version } of await stockOf(warehouse, skus)) {
      put(shopId, sku, { inStock, stockVersion: version });
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
  inStock: false,
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
}

/** The newest offer of each shop and sku; ids are ordered by time. */
async function offersOf(shop: Reader, skus: string[]): Promise<SourceOffer[]> {
  const { rows } = await shop.query<SourceOffer>(
    `select distinct on (shop_id, sku) shop_id as "shopId", sku, id as "offerId",
       price_amount as price, currency_code as "currencyCode", active, version as "offerVersion"
     from offer where sku = any($1) order by shop_id, sku, id desc`,
    [skus],
  );
  return rows;
}

async function stockOf(warehouse: Reader, skus: string[]) {
  const { rows } = await warehouse.query<{
    shopId: string;
    sku: string;
    inStock: boolean;
    version: number;
  }>(
    `select shop_id as "shopId", sku, ${regularUnitsSql()} > 0 as "inStock", version
     from stock_item where sku = any($1)`,
    [skus],
  );
  return rows;
}
