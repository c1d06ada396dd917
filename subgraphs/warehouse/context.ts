import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../shared/context.js';
import type { Logger } from '../shared/logger.js';
import type { ServiceClient } from '../shared/service-client.js';
import type { ShopOwners } from '../shared/shop-owners.js';
import type { HoldTimers } from './stock/hold-timers.js';
import type { StockEvents } from './stock/stock-events.js';
import type { StockFeeds } from './stock/stock-feeds.js';
import type { StockLocks } from './stock/stock-locks.js';

/** What the stock engine works with. */
export interface StockEngine {
  readonly orm: MikroORM;
  readonly locks: StockLocks;
  readonly timers: HoldTimers;
  readonly events: StockEvents;
  readonly logger: Logger;
}
export interface WarehouseApp extends StockEngine {
  readonly feeds: StockFeeds;
  readonly owners: ShopOwners;
  readonly product: ServiceClient;
}
export type WarehouseContext = SubgraphContext<WarehouseApp>;
