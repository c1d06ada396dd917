import pg from 'pg';
import type { Reader } from '../databases/clients.js';
import type { DatabaseUrls } from '../databases/urls.js';
import { type SubgraphName, subgraphNames } from '../subgraph-names.js';
import { type Moments, momentAt, type Readers } from './invariant.js';

export interface ReadLimits {
  /** for all statements of a check together */
  readonly deadlineMs: number;
  /** whether rows are found by indexes alone: the cost is that of the rows that are read, however large a table is */
  readonly byIndex: boolean;
}

/** The statements of a check took longer than its deadline. */
export class DeadlinePassed extends Error {}

const lanesDefault = 4;
const connectTimeoutMs = 10_000;
const clockTimeoutMs = 10_000;
// PostgreSQL ends the statement; this is for a server that does not answer.
const answerMarginMs = 5000;
const queryCancelled = '57014';

export const byIndexSql = `set local enable_seqscan = off; set local enable_hashjoin = off;
  set local enable_mergejoin = off; set local jit = off;`;

/**
 * Opens connections to the five databases, as they are needed.
 *
 * @param lanes checks that run at the same time, each with one connection to a database
 */
export function openReaders(urls: DatabaseUrls, lanes = lanesDefault) {
  const pools = subgraphNames.map((name) => {
    const pool = new pg.Pool({
      connectionString: urls[name],
      application_name: 'verify',
      connectionTimeoutMillis: connectTimeoutMs,
      max: lanes,
    });
    // An idle connection that is lost is replaced.
    pool.on('error', () => {});
    return [name, pool] as const;
  });
  /** Readers for one check. Each statement has a transaction of its own, with what is left of the deadline. */
  function readersFor({ deadlineMs, byIndex }: ReadLimits): Readers {
    const endsAt = performance.now() + deadlineMs;
    const readers = pools.map(([name, pool]) => {
      const query = (sql: string, values?: unknown[]) =>
        read(pool, { sql, values, endsAt, settings: byIndex ? byIndexSql : '' });
      return [name, { query } as unknown as Reader] as const;
    });
    return Object.fromEntries(readers) as unknown as Readers;
  }
  return {
    lanes,
    readersFor,
    /**
     * The clocks of the databases, and that of this host for one that cannot be read: it was not checked then.
     *
     * @param need `all` to throw in this case
     */
    async now(need: 'all' | 'any'): Promise<Moments> {
      const readers = readersFor({ deadlineMs: clockTimeoutMs, byIndex: false });
      const moments = subgraphNames.map(async (name: SubgraphName) => {
        const read = readers[name].query<{ ms: string }>(
          'select floor(extract(epoch from clock_timestamp()) * 1000) as ms',
        );
        const host = { rows: [{ ms: `${Date.now()}` }] };
        const { rows } = await (need === 'all' ? read : read.catch(() => host));
        return [name, momentAt(Number(rows[0]?.ms))] as const;
      });
      return Object.fromEntries(await Promise.all(moments)) as unknown as Moments;
    },
    end: () => Promise.all(pools.map(([, pool]) => pool.end())),
  };
}
export type OpenReaders = ReturnType<typeof openReaders>;

interface Statement {
  readonly sql: string;
  readonly values: unknown[] | undefined;
  readonly endsAt: number;
  readonly settings: string;
}

async function read(pool: pg.Pool, { sql, values, endsAt, settings }: Statement) {
  const client = await pool.connect();
  try {
    const leftMs = Math.ceil(endsAt - performance.now());
    if (leftMs <= 0) throw new DeadlinePassed();
    await client.query(`begin read only; set local statement_timeout = ${leftMs}; ${settings}`);
    const statement = { text: sql, values, query_timeout: leftMs + answerMarginMs };
    const result = await client.query(statement as pg.QueryConfig);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    client.release(true);
    throw (error as { code?: string }).code === queryCancelled ? new DeadlinePassed() : error;
  }
}
