import type { StockKey } from '../../subgraphs/contracts/stock-key.js';
import type { DispatcherLimits } from '../../subgraphs/warehouse/reservation/dispatcher/dispatcher-limits.js';

/** What the parent asks of a process of customers, and of the engine that serves them. */
export interface CustomersTask {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly keys: readonly StockKey[];
  readonly customers: number;
  /** an order has 1 to this many lines, of different keys */
  readonly linesMax: number;
  readonly limits: Partial<DispatcherLimits>;
  /** whether set-based SQL stands in for the engine */
  readonly ceiling: boolean;
}
/** What they saw while it was measured. */
export interface CustomersReport {
  readonly latenciesMs: number[];
  /** those that were refused or short: there is stock enough for all */
  readonly failed: number;
  readonly cpuMs: number;
  readonly seconds: number;
}
