import type { StockKey } from '../../subgraphs/contracts/stock-key.js';
import type { DispatcherLimits } from '../../subgraphs/warehouse/reservation/dispatcher/dispatcher-limits.js';

/** The task of a customer process, which has its own engine. */
export interface CustomersTask {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly keys: readonly StockKey[];
  readonly customers: number;
  /** an order has 1 to this many lines, of different keys */
  readonly linesMax: number;
  /** another shop’s variant, of which one unit is ordered every 50 ms */
  readonly neighbour?: StockKey;
  readonly limits: Partial<DispatcherLimits>;
  /** whether the lock nodes are away */
  readonly withoutLocks: boolean;
  /** whether to use set-based SQL instead of the engine */
  readonly ceiling: boolean;
}
/** The results of the measured period. */
export interface CustomersReport {
  readonly latenciesMs: number[];
  /** refused requests and shortages, of which there should be none */
  readonly failed: number;
  readonly cpuMs: number;
  readonly seconds: number;
}
