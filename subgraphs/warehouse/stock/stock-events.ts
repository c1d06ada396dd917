import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/logger.js';
import type { StockKey } from './stock-item.js';

/** A committed change of a stock item, as it goes over Redis pub/sub. */
export interface StockChanged extends StockKey {
  readonly available: number;
  readonly version: number;
  /** RFC 3339 */
  readonly at: string;
}

export const stockChannel = 'stock';

/** Tells every warehouse process of committed changes. What is lost here is found by `StockFeeds`. */
export interface StockEvents {
  publish(changes: readonly StockChanged[]): void;
}

export function createStockEvents(redis: Redis, logger: Logger): StockEvents {
  return {
    publish(changes) {
      if (changes.length === 0) return;
      redis.publish(stockChannel, JSON.stringify(changes)).catch((error: Error) => {
        logger.debug({ reason: error.message }, 'stock changes were not published');
      });
    },
  };
}
