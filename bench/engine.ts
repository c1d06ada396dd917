import { redisDatabase } from '../dev/databases/redis.js';
import { connect } from '../subgraphs/shared/database/connect.js';
import { createLogger } from '../subgraphs/shared/observability/logger.js';
import { Registry } from '../subgraphs/shared/observability/metrics.js';
import { createRedis } from '../subgraphs/shared/runtime/redis.js';
import { databaseSchema } from '../subgraphs/warehouse/mikro-orm.config.js';
import type { DispatcherLimits } from '../subgraphs/warehouse/reservation/dispatcher/dispatcher-limits.js';
import { createStockEngine, rowWaitMs } from '../subgraphs/warehouse/reservation/engine.js';

export const logger = createLogger('bench', 'error');

interface EngineServers {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** whether the lock nodes are away; false by default */
  readonly withoutLocks?: boolean;
}

/** The stock engine of one process, configured as in the warehouse subgraph. */
export async function openEngine(
  { databaseUrl, redisUrl, withoutLocks = false }: EngineServers,
  limits: Partial<DispatcherLimits> = {},
) {
  const settings = { name: 'bench', url: databaseUrl, poolMax: 10, lockTimeoutMs: rowWaitMs };
  const orm = await connect(settings, databaseSchema);
  const redisAt = async (db: number) => {
    const redis = createRedis(redisDatabase(redisUrl, db), logger, 'bench');
    await redis.connect();
    return redis;
  };
  const [timers, events, locks] = [await redisAt(1), await redisAt(1), [await redisAt(2)]];
  if (withoutLocks) for (const lock of locks) lock.disconnect();
  const registry = new Registry();
  const engine = createStockEngine({ orm, timers, locks, registry, logger, limits });
  return {
    engine,
    timers,
    events,
    async close() {
      for (const redis of [timers, events, ...locks]) redis.disconnect();
      await orm.close();
    },
  };
}
