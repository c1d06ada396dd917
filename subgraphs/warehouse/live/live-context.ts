import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { WarehouseApp } from '../context.js';
import type { LevelAlerts } from './level-alerts.js';
import type { StockFeeds } from './stock-feeds.js';

export interface LiveApp {
  readonly feeds: StockFeeds;
  readonly lowStockAlerts: LevelAlerts;
  readonly shortfallAlerts: LevelAlerts;
}
export type LiveContext = SubgraphContext<WarehouseApp & LiveApp>;
