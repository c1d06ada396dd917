import pg from 'pg';
import { connectTimeoutMs, idleInTransactionTimeoutMs, silenceGraceMs } from './client.js';

export interface DedicatedConnection {
  /** what is done, as it is to be seen in `pg_stat_activity` */
  readonly name: string;
  readonly url: string;
  /** within this time each statement, and each transaction, has to end */
  readonly transactionMaxMs: number;
}

/**
 * Works on a connection that is nobody else's, for what takes longer than the pool's transactions
 * may. Temporary tables that are made on it are gone with it, however it ends.
 */
export async function withDedicatedConnection<T>(
  { name, url, transactionMaxMs }: DedicatedConnection,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    query_timeout: transactionMaxMs + silenceGraceMs,
    statement_timeout: transactionMaxMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    options: `-c transaction_timeout=${transactionMaxMs}`,
  });
  client.on('error', () => {}); // the statement at work tells it
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
