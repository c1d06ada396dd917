import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { WarehouseApp } from '../context.js';
import type { LowStockAlerts } from './low-stock-alerts.js';
import type { StockFeeds } from './stock-feeds.js';

export interface LiveApp {
  readonly feeds: StockFeeds;
  readonly alerts: LowStockAlerts;
}
export type LiveContext = SubgraphContext<WarehouseApp & LiveApp>;
