import type { DispatcherMetrics } from '../../stock/metrics.js';
import type { DispatcherLimits } from './dispatcher-limits.js';
import type { StockLocks } from './stock-locks.js';

export interface DispatcherOptions<Request, Outcome> {
  /** the keys that a request locks: requests that share one are decided in order of arrival */
  keysOf(request: Request): readonly string[];
  /** Decides all requests in one transaction: an outcome for each, in their order. Idempotent. */
  work(requests: readonly Request[]): Promise<readonly Outcome[]>;
  /** The requests whose rows other transactions have locked; called after a lock timeout. */
  findBlocked?(requests: readonly Request[]): Promise<readonly Request[]>;
  /** locks to take over the keys of a batch before its work, if it needs any */
  readonly locks?: StockLocks;
  readonly metrics: DispatcherMetrics;
  readonly limits?: Partial<DispatcherLimits>;
}
