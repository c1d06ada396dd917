import 'reflect-metadata';
import { join } from 'node:path';
import pg from 'pg';
import { findRedis } from '../../dev/databases/redis.js';
import { createDatabases } from '../../dev/databases/set-up.js';
import { startTemporaryPostgres } from '../../dev/databases/temporary.js';
import { seedStore } from '../../dev/seed/store.js';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { migrateAll } from '../../ops/migrate-all.js';
import { stateFolder } from '../../ops/running-system.js';
import { subgraphNames } from '../../ops/subgraph-names.js';
import { copyDatabase, templatePassword } from './templates.js';

/** Starts the PostgreSQL of the tests, with the templates of their databases, and finds a Redis program. */
export default async function globalSetup(): Promise<void> {
  const [postgres, redis] = await Promise.all([
    startTemporaryPostgres(),
    findRedis(join(stateFolder(), 'redis')),
  ]);
  (globalThis as { stopPostgres?: () => Promise<void> }).stopPostgres = postgres.stop;
  const urls = await createDatabases(postgres.url, 'template', templatePassword);
  await migrateAll(urls);
  await seedStore(await copyTemplates(postgres.url, urls));
  process.env.TEST_POSTGRES_URL = postgres.url;
  process.env.TEST_REDIS_PROGRAM = JSON.stringify(redis);
}

/** Copies the migrated templates to those of the demo store. */
async function copyTemplates(adminUrl: string, urls: DatabaseUrls): Promise<DatabaseUrls> {
  const copies = { ...urls };
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  for (const name of subgraphNames) {
    const template = `template_${name}`;
    await admin.query(copyDatabase(`store_${name}`, template, template));
    const url = new URL(urls[name]);
    url.pathname = `/store_${name}`;
    copies[name] = url.href;
  }
  await admin.end();
  return copies;
}
