import pg from 'pg';
import { stockInvariants } from '../../ops/verify/stock-invariants.js';
import { connect } from '../../subgraphs/shared/database/connect.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { closeRedis, createRedis } from '../../subgraphs/shared/runtime/redis.js';
import { databaseSchema } from '../../subgraphs/warehouse/mikro-orm.config.js';
import {
  createStockEngine,
  rowWaitMs,
  type StockEngineParts,
} from '../../subgraphs/warehouse/reservation/engine.js';
import { receiveStock } from '../../subgraphs/warehouse/stock/receive-stock.js';
import type { StockStore } from '../../subgraphs/warehouse/stock/stock-store.js';
import { Warehouse } from '../../subgraphs/warehouse/warehouse/warehouse.js';
import { recordWarehouseEvent } from '../../subgraphs/warehouse/warehouse/warehouse-event.js';
import { createTestDatabases, startTestRedis } from './databases.js';

export const logger = createLogger('test', 'silent');

const shownMax = 20;

/** Fails with the offending rows if an invariant of stock does not hold in a warehouse database. */
export async function expectStockInvariantsOf(client: pg.Client): Promise<void> {
  for (const invariant of stockInvariants) {
    const { offending } = await invariant.check(
      { warehouse: client } as never,
      { of: 'all' },
      true,
    );
    const shown = JSON.stringify(offending.slice(0, shownMax));
    if (offending.length > 0) throw new Error(`broken: ${invariant.name}: ${shown}`);
  }
}

/** The database and Redis of one test file, for any number of engines (processes). */
export async function openStock() {
  const [database, redis] = await Promise.all([
    createTestDatabases(['warehouse']),
    startTestRedis(),
  ]);
  const url = database.urls.warehouse;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const closers: Array<() => unknown> = [];

  async function redisAt(db: number) {
    const connection = createRedis(`${redis.url}/${db}`, logger, 'test');
    await connection.connect();
    closers.push(() => closeRedis(connection));
    return connection;
  }

  /** The engine of one warehouse process. */
  async function engine(
    overrides: Partial<StockEngineParts> & {
      readonly databaseUrl?: string;
      readonly lockTimeoutMs?: number;
    } = {},
  ) {
    const settings = {
      name: 'test',
      url: overrides.databaseUrl ?? url,
      poolMax: 10,
      lockTimeoutMs: overrides.lockTimeoutMs ?? rowWaitMs,
      logger,
    };
    const orm = await connect(settings, databaseSchema);
    closers.push(() => orm.close());
    const timers = await redisAt(1);
    const parts = { orm, timers, locks: [await redisAt(2)], registry: new Registry(), logger };
    // Tests of rules wait for a busy machine; those of the limits set their own.
    const limits = { waitMaxMs: 30_000, ...overrides.limits };
    const created = createStockEngine({ ...parts, ...overrides, limits });
    return Object.assign(created, { timerRedis: timers });
  }

  return {
    url,
    redis,
    redisAt,
    engine,
    /** Runs a statement on the connection of the test. */
    async query<T extends object>(text: string, values: unknown[] = []): Promise<T[]> {
      return (await client.query<T>(text, values)).rows;
    },
    expectStockInvariants: () => expectStockInvariantsOf(client),
    async close() {
      for (const closer of closers.reverse()) await closer();
      await client.end();
      await Promise.all([database.drop(), redis.stop()]);
    },
  };
}
export type TestStock = Awaited<ReturnType<typeof openStock>>;

/**
 * Creates a shop with one sku. @param units on hand in each of its warehouses, in order of priority
 */
export async function stockUp(store: StockStore, units: readonly number[]) {
  const shopId = newId();
  const sku = `SKU-${shopId.slice(-8)}`;
  const warehouses: Warehouse[] = [];
  for (const [priority, quantity] of units.entries()) {
    const em = store.orm.em.fork();
    const id = newId();
    const fields = { id, shopId, name: `W${priority}`, address: null, active: true, priority };
    const warehouse = em.create(Warehouse, fields);
    await em.persist(warehouse).flush();
    await recordWarehouseEvent(em, { shopId, warehouseId: id, type: 'ACTIVATED', actor: 'test' });
    warehouses.push(warehouse);
    if (quantity === 0) continue;
    await receiveStock(store, { warehouse, sku, quantity, reference: null, actor: 'test' });
  }
  return { shopId, sku, warehouses, warehouseIds: warehouses.map(({ id }) => id) };
}
