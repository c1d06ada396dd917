import type pg from 'pg';
import { telemetry } from '../observability/telemetry/telemetry.js';
import { installWatchdog, releaseLostConnections } from './connection-watchdog.js';
import { PreparingClient } from './prepared-statements.js';

/*
 * The `pg` client of a pool and the four layers around it. A statement passes them from the outside in:
 *
 * 1. Replica guard (replicas.ts), only in the pool for reads: what a replica cannot answer goes to the
 *    primary.
 * 2. Statement spans (observability/telemetry/statement-spans.ts), only while traces are sent: a span for
 *    each statement of a trace.
 * 3. Watchdog (connection-watchdog.ts): destroys a connection whose statement is never answered.
 * 4. `PreparingClient` (prepared-statements.ts): names the statements that are kept prepared.
 *
 * Layers 2 and 3 replace `query` of each new connection, so `wrapClients` applies them from the inside out.
 */

export const connectTimeoutMs = 5000;
export const statementTimeoutMs = 4000;
export const idleInTransactionTimeoutMs = 4000;
/** How long after PostgreSQL's own time limit an answer may come; a lost connection sends none. */
export const silenceGraceMs = 2000;

/** Layer 4: the class of the connections of a pool. */
export const clientClass = PreparingClient;

/**
 * Layers 3 and 2, for the connections that the pool makes from now on.
 *
 * @param timeLimits whether statements have a time limit, as all have but those of migrations
 */
export function wrapClients(pool: pg.Pool, timeLimits: boolean): void {
  if (timeLimits) watchConnections(pool);
  else releaseLostConnections(pool);
  telemetry()?.watchPool(pool);
}

/** Layer 3: no connection of the pool stays taken because it was lost or does not answer. */
export function watchConnections(pool: pg.Pool): void {
  releaseLostConnections(pool);
  installWatchdog(pool, statementTimeoutMs, silenceGraceMs);
}
