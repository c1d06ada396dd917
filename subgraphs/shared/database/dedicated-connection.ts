import type pg from 'pg';
import { CheckedClient } from './checked-client.js';
import { connectTimeoutMs, idleInTransactionTimeoutMs, silenceGraceMs } from './client.js';

export interface DedicatedConnection {
  /** the work; `application_name` in `pg_stat_activity` */
  readonly name: string;
  readonly url: string;
  /** time limit of each statement, and of each transaction */
  readonly transactionMaxMs: number;
}

/**
 * Runs work on its own connection, for transactions that take longer than those of the pool may. Temporary
 * tables disappear with the connection.
 *
 * @throws UnusableServerError
 */
export async function withDedicatedConnection<T>(
  { name, url, transactionMaxMs }: DedicatedConnection,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new CheckedClient({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    query_timeout: transactionMaxMs + silenceGraceMs,
    statement_timeout: transactionMaxMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    transaction_timeout: transactionMaxMs,
  });
  client.on('error', () => {}); // the current statement fails with it
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
