import type { EntityManager } from '@mikro-orm/postgresql';
import { statementTimeoutSql } from './connection-watchdog.js';
import { sql } from './sql.js';

/**
 * Sets the time limit of a transaction and of each of its statements. PostgreSQL starts the timer
 * of a running transaction only when it has none, so the pool's limit is removed first.
 */
export async function setTimeLimit(tx: EntityManager, ms: number): Promise<void> {
  await sql(tx, 'set local transaction_timeout = 0');
  await sql(tx, `set local transaction_timeout = ${ms}`);
  await sql(tx, statementTimeoutSql(ms));
}
