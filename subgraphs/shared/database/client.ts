import type pg from 'pg';
import { telemetry } from '../observability/telemetry/telemetry.js';
import { CheckedClient } from './checked-client.js';
import { installWatchdog, releaseLostConnections } from './connection-watchdog.js';
import { poolQueueLimits, queueForPool } from './pool/pool-queue.js';

/*
 * The `pg` client of a pool and the layers around it. A connection is handed out by the queue (pool/pool-queue.ts), in
 * which requests wait for it. A statement passes through four layers from the outside in:
 *
 * 1. Replica guard (replicas.ts), only in the pool for reads: repeats a statement on the primary if the
 *    replica fails.
 * 2. Statement spans (observability/telemetry/statement-spans.ts), only if telemetry is enabled, and not for
 *    statements on a replica: a span for each statement of a trace.
 * 3. Watchdog (connection-watchdog.ts): destroys a connection whose statement gets no response.
 * 4. `PreparingClient` (prepared-statements.ts): names the statements that stay prepared, and sends BEGIN with the
 *    first statement of its transaction (begin-with-statement.ts). Its subclass `CheckedClient` (checked-client.ts)
 *    opens only to a server that can serve.
 *
 * Layers 2 and 3 replace `query` of each new connection, so `wrapClients` applies them from the inside out.
 */

export const connectTimeoutMs = 5000;
export const statementTimeoutMs = 4000;
export const idleInTransactionTimeoutMs = 4000;
/** How long to wait after PostgreSQL's own time limit: on a lost connection its error never arrives. */
export const silenceGraceMs = 2000;

/** Layer 4: the class of the connections of a pool. */
export const clientClass = CheckedClient;

/**
 * Layers 3 and 2, for new connections of the pool, and its queue.
 *
 * @param timeLimits whether statements have a time limit; only migrations have none, and no queue
 */
export function wrapClients(pool: pg.Pool, timeLimits: boolean): void {
  if (timeLimits) {
    watchConnections(pool);
    queueForPool(pool, poolQueueLimits(pool.options.max));
  } else {
    releaseLostConnections(pool);
  }
  telemetry()?.watchPool(pool);
}

/** Layer 3: a lost or silent connection does not stay checked out of the pool. */
export function watchConnections(pool: pg.Pool): void {
  releaseLostConnections(pool);
  installWatchdog(pool, statementTimeoutMs, silenceGraceMs);
}
