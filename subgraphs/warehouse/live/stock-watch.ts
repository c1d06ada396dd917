import { type StockKey, stockKeyOf } from '../../contracts/stock-key.js';
import { FeedIndex } from '../../shared/messaging/feed-index.js';
import type { LatestFeed } from '../../shared/messaging/latest-feed.js';
import type { StockChanged } from '../signals/stock-signals.js';

/** The stock that a subscriber watches: skus, a shop, or skus of one shop. */
export interface StockFilter {
  readonly skus: readonly string[] | null;
  readonly shopId: string | null;
}

/** A SKU in all shops, all SKUs of a shop, or one SKU of one shop. */
export interface StockWatch {
  readonly shopId: string | null;
  readonly sku: string | null;
}

export type StockFeed = LatestFeed<StockChanged>;
export type StockIndex = FeedIndex<StockChanged, StockWatch>;

/** items that one subscriber may watch */
export const feedItemsMax = 10_000;

export interface StockFeedLimits {
  /** open feeds of a process */
  readonly feedsMax: number;
  /** items watched by a process, each counted once for each feed that watches it */
  readonly itemsMax: number;
}

const ofSku = 0;
const ofShop = 1;
const ofBoth = 2;

const kindOf = ({ shopId, sku }: StockWatch) =>
  shopId === null ? ofSku : sku === null ? ofShop : ofBoth;

/** The name of a topic, of a row or of a watch of that kind. */
function nameIn(kind: number, { shopId, sku }: StockWatch): string {
  if (kind === ofSku) return sku as string;
  return kind === ofShop ? (shopId as string) : stockKeyOf({ shopId, sku: sku as string });
}

export const createStockIndex = ({ feedsMax, itemsMax }: StockFeedLimits): StockIndex =>
  new FeedIndex<StockChanged, StockWatch>({
    kinds: 3,
    kindOf,
    nameOf: (watch) => nameIn(kindOf(watch), watch),
    topicOf: (row, kind) => nameIn(kind, row),
    keyOf: stockKeyOf,
    feedsMax,
    rowsMax: itemsMax,
    feedRowsMax: feedItemsMax,
  });

export const watchesOf = ({ skus, shopId }: StockFilter): StockWatch[] =>
  skus ? skus.map((sku) => ({ shopId, sku })) : [{ shopId, sku: null }];

const uuidLength = 36;

/** The inverse of `stockKeyOf`. */
export const parseStockKey = (key: string): StockKey => ({
  shopId: key.slice(0, uuidLength),
  sku: key.slice(uuidLength + 1),
});
