import { Counter, gaugeOf, Histogram, type Registry } from '../../shared/observability/metrics.js';

/** Why a request gets `TRY_AGAIN`: the queue is full, it waited too long, or its batch failed. */
export type RefusalReason = 'full' | 'late' | 'busy' | 'unknown' | 'unavailable';

/** The measurements of one dispatcher. */
export interface DispatcherMetrics {
  queueLength(read: () => number): void;
  batchDone(size: number, ms: number): void;
  lockWaited(ms: number): void;
  refused(reason: RefusalReason, count?: number): void;
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The metrics of the stock engine; times are in seconds. */
export function createStockMetrics(registry: Registry) {
  const registers = [registry];
  const lengths: Record<string, () => number> = {};
  gaugeOf(
    registry,
    {
      name: 'holdfast_stock_queue_length',
      help: 'Requests that wait for their batch',
      label: 'dispatcher',
    },
    () => Object.fromEntries(Object.entries(lengths).map(([name, length]) => [name, length()])),
  );
  const batchSize = new Histogram({
    name: 'holdfast_stock_batch_size',
    help: 'Requests decided in one transaction',
    labelNames: ['dispatcher'],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  });
  const commitTime = new Histogram({
    name: 'holdfast_stock_commit_seconds',
    help: 'Duration of a batch, from its first statement to its COMMIT',
    labelNames: ['dispatcher'],
    buckets: seconds,
    registers,
  });
  const lockWait = new Histogram({
    name: 'holdfast_stock_lock_wait_seconds',
    help: 'How long a batch waited for its lock',
    labelNames: ['dispatcher'],
    buckets: seconds,
    registers,
  });
  const refusals = new Counter({
    name: 'holdfast_stock_refusals_total',
    help: 'Requests refused with TRY_AGAIN: queue full, batch too late, rows locked, outcome unknown, database away',
    labelNames: ['dispatcher', 'reason'],
    registers,
  });
  const reservations = new Counter({
    name: 'holdfast_reservations_total',
    help: 'Answers to reserve requests, by state (HELD, SHORT, …)',
    labelNames: ['state'],
    registers,
  });
  const ended = new Counter({
    name: 'holdfast_reservations_ended_total',
    help: 'Reservations that this process ended, by state (COMMITTED, RELEASED, EXPIRED)',
    labelNames: ['state'],
    registers,
  });
  const expiryLag = new Histogram({
    name: 'holdfast_expiry_lag_seconds',
    help: 'Delay between the time when a reservation was due and its expiry',
    buckets: [...seconds, 10, 60],
    registers,
  });
  const sweeperFinds = new Counter({
    name: 'holdfast_sweeper_finds_total',
    help: 'Reservations that the sweeper expired because their timer was lost',
    registers,
  });
  const shippedBeyondCount = new Counter({
    name: 'holdfast_units_shipped_beyond_count_total',
    help: 'Units that were shipped from a level which had fewer by its count',
    registers,
  });
  return {
    dispatcher(dispatcher: string): DispatcherMetrics {
      return {
        queueLength: (read) => {
          lengths[dispatcher] = read;
        },
        batchDone: (size, ms) => {
          batchSize.observe({ dispatcher }, size);
          commitTime.observe({ dispatcher }, ms / 1000);
        },
        lockWaited: (ms) => lockWait.observe({ dispatcher }, ms / 1000),
        refused: (reason, count = 1) => refusals.inc({ dispatcher, reason }, count),
      };
    },
    reservations,
    ended,
    expiryLag,
    sweeperFinds,
    shippedBeyondCount,
  };
}
export type StockMetrics = ReturnType<typeof createStockMetrics>;
