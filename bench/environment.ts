import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findRedis, startRedis } from '../dev/databases/redis.js';
import { freePort } from '../dev/databases/server-process.js';
import { createDatabases } from '../dev/databases/set-up.js';
import { startTemporaryPostgres } from '../dev/databases/temporary.js';
import { stateFolder } from '../ops/running-system.js';
import { stockInvariants } from '../ops/verify/stock-invariants.js';
import { migrate } from '../subgraphs/shared/database/run-migrations.js';
import { databaseSchema } from '../subgraphs/warehouse/mikro-orm.config.js';
import { cpuMsOf } from './cpu.js';

/** Starts PostgreSQL, whose COMMIT waits for the disk, with five empty databases, and Redis. */
export async function openServers() {
  const [postgres, redis] = await Promise.all([
    startTemporaryPostgres(true),
    startTemporaryRedis(),
  ]);
  const databases = await createDatabases(postgres.url, 'bench', 'bench');
  return { postgres, redis, databases };
}

/** Starts a Redis on a free port. */
export async function startTemporaryRedis() {
  const [program, port] = await Promise.all([findRedis(join(stateFolder(), 'redis')), freePort()]);
  return startRedis(program, { port, socketPath: join(tmpdir(), `holdfast-redis-${port}`) });
}

/** Starts the servers, with the tables of the warehouse subgraph. */
export async function openEnvironment() {
  const { postgres, redis, databases } = await openServers();
  const { warehouse } = databases;
  await migrate({ name: 'bench', url: warehouse, poolMax: 1 }, databaseSchema);
  const client = new pg.Client({ connectionString: warehouse });
  await client.connect();
  return {
    databaseUrl: warehouse,
    redisUrl: redis.url,
    client,
    /** CPU time of PostgreSQL, in milliseconds; 0 on systems without /proc */
    databaseCpuMs: () => cpuMsOf(postgres.processId),
    /** @returns the names of the invariants of the stock that do not hold */
    async brokenInvariants(): Promise<string[]> {
      await client.query('analyze'); // there are no statistics yet for the many new rows
      const broken: string[] = [];
      for (const invariant of stockInvariants) {
        const { offending } = await invariant.check(
          { warehouse: client } as never,
          { of: 'all' },
          true,
        );
        if (offending.length > 0) broken.push(invariant.name);
      }
      return broken;
    },
    stopRedis: () => redis.stop(),
    async close() {
      await client.end();
      await Promise.all([postgres.stop(), redis.stop()]);
    },
  };
}
export type BenchEnvironment = Awaited<ReturnType<typeof openEnvironment>>;
