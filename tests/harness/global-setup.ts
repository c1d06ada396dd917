import 'reflect-metadata';
import { join } from 'node:path';
import { findRedis } from '../../dev/databases/redis.js';
import { createDatabases } from '../../dev/databases/set-up.js';
import { startTemporaryPostgres } from '../../dev/databases/temporary.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { stateFolder } from '../../ops/running-system.js';
import { templatePassword } from './templates.js';

/** Starts the PostgreSQL of the tests, with five migrated template databases, and finds a Redis program. */
export default async function globalSetup(): Promise<void> {
  const [postgres, redis] = await Promise.all([
    startTemporaryPostgres(),
    findRedis(join(stateFolder(), 'redis')),
  ]);
  (globalThis as { stopPostgres?: () => Promise<void> }).stopPostgres = postgres.stop;
  await migrateAll(await createDatabases(postgres.url, 'template', templatePassword));
  process.env.TEST_POSTGRES_URL = postgres.url;
  process.env.TEST_REDIS_PROGRAM = JSON.stringify(redis);
}
