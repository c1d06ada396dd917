import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { PreparingClient } from './prepared-statements.js';

const setsLimit = /^set local statement_timeout = (\d+)$/;
const endsTransaction = /^(commit|rollback)$/;

/** Takes a longer time for each statement of the transaction; the connection is waited for as long. */
export const statementTimeoutSql = (ms: number) => `set local statement_timeout = ${ms}`;

/**
 * A machine or network that vanishes tells nobody: a statement on such a connection would never end,
 * and its connection stay taken. PostgreSQL ends a statement that takes too long by itself; one that is
 * silent for `graceMs` more is given up with its connection. To be called before what else wraps the
 * queries of a pool: it asks `PreparingClient` itself.
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
 * A transaction whose connection is lost cannot be rolled back, and Kysely keeps such a connection
 * for ever: after as many as the pool has, nobody would get one any more. So each that ends is given
 * back, unless its query gave it back by itself.
 */
export function releaseLostConnections(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    client.once('end', () => {
      const release = () => {
        try {
          (client as pg.PoolClient).release(true);
        } catch {} // it was given back already
      };
      setTimeout(release, releaseAfterMs).unref();
    });
  });
}
