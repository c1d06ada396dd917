import type { MikroORM } from '@mikro-orm/postgresql';
import type { SubgraphContext } from '../../shared/graphql/context.js';
import type { Logger } from '../../shared/observability/logger.js';
import type { WarehouseApp } from '../context.js';
import type { StockSignals } from '../signals/stock-signals.js';
import type { StockMetrics } from './metrics.js';

/** What a transaction that moves stock needs. */
export interface StockStore {
  readonly orm: MikroORM;
  readonly signals: StockSignals;
  readonly metrics: StockMetrics;
  readonly logger: Logger;
}

export type StockContext = SubgraphContext<WarehouseApp & StockStore>;
