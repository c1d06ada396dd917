import type { SubgraphContext } from '../shared/context.js';
import type { ServiceClient } from '../shared/service-client.js';
import type { ShopOwners } from '../shared/shop-owners.js';
import type { StockEngine } from './stock/engine.js';
import type { LowStockAlerts } from './stock/low-stock-alerts.js';
import type { StockFeeds } from './stock/stock-feeds.js';

export interface WarehouseApp extends StockEngine {
  readonly feeds: StockFeeds;
  readonly alerts: LowStockAlerts;
  readonly owners: ShopOwners;
  readonly product: ServiceClient;
  /** for what needs a connection of its own */
  readonly databaseUrl: string;
}
export type WarehouseContext = SubgraphContext<WarehouseApp>;
