import pg from 'pg';
import { cpuMsOf } from './cpu.js';

/** Orders sold by SQL alone: what PostgreSQL does at most on this machine, with a transaction for each order. */
export interface Yardstick {
  readonly ordersPerSecond: number;
  /** CPU time of PostgreSQL for one order */
  readonly cpuMs: number;
}

export interface YardstickLine {
  /** number of the SKU, from 0 */
  readonly sku: number;
  readonly quantity: number;
}
type Cart = readonly YardstickLine[];

export interface YardstickOptions {
  /** of the server's administrator */
  readonly url: string;
  readonly processId: number;
  /** as many as shoppers who buy at the same moment */
  readonly connections: number;
  /** each SKU once in each; bought in turn */
  readonly carts: readonly Cart[];
}

const seconds = 3;
const plenty = 1_000_000_000;

/**
 * Sells carts with one transaction each: a guarded `UPDATE` of each SKU's row, an `INSERT` of the order,
 * `COMMIT`. No HTTP, no stock that is held, no payment.
 */
export async function measureYardstick(options: YardstickOptions): Promise<Yardstick> {
  const { url, processId, connections, carts } = options;
  const pool = new pg.Pool({ connectionString: url, max: connections });
  const skus = Math.max(...carts.flat().map(({ sku }) => sku));
  try {
    await pool.query('create table yardstick_shelf (sku int primary key, units int not null)');
    await pool.query(`create table yardstick_order (
      id bigint generated always as identity primary key, lines jsonb not null)`);
    await pool.query(
      'insert into yardstick_shelf select n, $2 from generate_series(0, $1::int) n',
      [skus, plenty],
    );
    const cpuBeforeMs = cpuMsOf(processId);
    const startedMs = performance.now();
    let orders = 0;
    const customer = async () => {
      while (performance.now() < startedMs + seconds * 1000) {
        await sell(pool, carts[orders++ % carts.length] as Cart);
      }
    };
    await Promise.all(Array.from({ length: connections }, customer));
    const elapsedSeconds = (performance.now() - startedMs) / 1000;
    return {
      ordersPerSecond: orders / elapsedSeconds,
      cpuMs: (cpuMsOf(processId) - cpuBeforeMs) / orders,
    };
  } finally {
    await pool.query('drop table if exists yardstick_shelf, yardstick_order');
    await pool.end();
  }
}

async function sell(pool: pg.Pool, cart: Cart): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    // In the order of the SKUs, so that two carts never wait for each other.
    for (const { sku, quantity } of cart.toSorted((a, b) => a.sku - b.sku)) {
      await client.query({
        name: 'take',
        text: 'update yardstick_shelf set units = units - $2 where sku = $1 and units >= $2',
        values: [sku, quantity],
      });
    }
    const text = 'insert into yardstick_order (lines) values ($1)';
    await client.query({ name: 'order', text, values: [JSON.stringify(cart)] });
    await client.query('commit');
  } finally {
    client.release();
  }
}
