import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { PreparingClient } from './prepared-statements.js';

const setsLimit = /^set local statement_timeout = (\d+)$/;
const endsTransaction = /^(commit|rollback)$/;

/** Raises the time limit of each statement of the transaction; the watchdog respects it. */
export const statementTimeoutSql = (ms: number) => `set local statement_timeout = ${ms}`;

/**
 * If a machine or network fails silently, a statement would never end and its connection would stay checked
 * out. PostgreSQL cancels a statement after `statementMaxMs`; without any response for `graceMs` more, the
 * connection is destroyed. Must be the first wrapper of the queries of a pool: it calls `PreparingClient`.
 */
export function installWatchdog(pool: pg.Pool, statementMaxMs: number, graceMs: number): void {
  pool.on('connect', (client) => {
    const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection;
    let maxMs = statementMaxMs;
    const query = (...args: unknown[]) => {
      const timer = setTimeout(() => stream.destroy(), maxMs + graceMs);
      const text = typeof args[0] === 'string' ? args[0] : '';
      const limit = setsLimit.exec(text)?.[1];
      if (limit) maxMs = Number(limit);
      else if (endsTransaction.test(text)) maxMs = statementMaxMs;
      const result = PreparingClient.prototype.query.apply(client, args as never) as unknown;
      if (!(result instanceof Promise)) clearTimeout(timer);
      else {
        const answered = () => clearTimeout(timer);
        result.then(answered, answered);
      }
      return result;
    };
    Object.assign(client, { query });
  });
}

const releaseAfterMs = 500;

/**
 * A transaction whose connection is lost cannot be rolled back, and Kysely never releases such a connection:
 * after `max` of them the pool would be exhausted. So each connection that ends is released, unless its
 * query has released it.
 */
export function releaseLostConnections(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    client.once('end', () => {
      const release = () => {
        try {
          (client as pg.PoolClient).release(true);
        } catch {} // it was released already
      };
      setTimeout(release, releaseAfterMs).unref();
    });
  });
}
