import type { SubgraphContext } from '../shared/graphql/context.js';
import type { ServiceClient } from '../shared/http/service-client.js';
import type { ShopOwners } from '../shared/rights/shop-owners.js';
import type { LowStockAlerts } from './live/low-stock-alerts.js';
import type { StockFeeds } from './live/stock-feeds.js';
import type { StockEngine } from './reservation/engine.js';

export interface WarehouseApp extends StockEngine {
  readonly feeds: StockFeeds;
  readonly alerts: LowStockAlerts;
  readonly owners: ShopOwners;
  readonly product: ServiceClient;
  /** for what needs a connection of its own */
  readonly databaseUrl: string;
}
export type WarehouseContext = SubgraphContext<WarehouseApp>;
