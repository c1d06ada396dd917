import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { startRedis } from '../../dev/databases/redis.js';
import { isPortFree } from '../../dev/databases/server-process.js';
import { movePictures } from '../../dev/seed/pictures.js';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { type SubgraphName, subgraphNames } from '../../ops/subgraph-names.js';
import {
  connect,
  type DatabaseSettings,
  disconnect,
  type Schema,
} from '../../subgraphs/shared/database/connect.js';
import { copyDatabase, type TemplatePrefix, templatePassword } from './templates.js';

const adminUrl = () => process.env.TEST_POSTGRES_URL as string;

/** The same database by TCP: the server has a Unix socket too. @param port of a proxy, if not its own */
export function byTcp(databaseUrl: string, port?: number): URL {
  const url = new URL(databaseUrl);
  url.searchParams.delete('host');
  url.hostname = '127.0.0.1';
  if (port !== undefined) url.port = String(port);
  return url;
}

/**
 * Copies of migrated databases, for one test file; `drop` removes them.
 *
 * @param prefix of the templates: with nothing but tables, or with the demo store
 */
export async function createTestDatabases<N extends SubgraphName>(
  names: readonly N[],
  prefix: TemplatePrefix = 'template',
) {
  const admin = new pg.Client({ connectionString: adminUrl() });
  await admin.connect();
  const tail = randomBytes(5).toString('hex');
  const urls: Partial<Record<SubgraphName, string>> = {};
  for (const name of names) {
    const database = `t_${tail}_${name}`;
    await copyTemplate(admin, database, `${prefix}_${name}`, `template_${name}`);
    const url = new URL(adminUrl());
    url.username = `template_${name}`;
    url.password = templatePassword;
    url.pathname = `/${database}`;
    urls[name] = url.href;
  }
  return {
    urls: urls as Record<N, string>,
    async drop() {
      for (const name of names) {
        await admin.query(`drop database if exists t_${tail}_${name} with (force)`);
      }
      await admin.end();
    },
  };
}

/** A copy of one migrated database, with its entities and a plain connection. */
export async function openTestDatabase(
  name: SubgraphName,
  schema: Schema,
  options: Partial<DatabaseSettings> = {},
) {
  const databases = await createTestDatabases([name]);
  const url = databases.urls[name];
  const orm = await connect({ name: 'test', url, poolMax: 4, ...options }, schema);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    url,
    orm,
    client,
    async close() {
      await Promise.all([client.end(), disconnect(orm)]);
      await databases.drop();
    },
  };
}

export type TestDatabase = Awaited<ReturnType<typeof openTestDatabase>>;

const templateBusy = '55006';

/** A template can be copied only once at a time; other copies are retried. */
async function copyTemplate(admin: pg.Client, database: string, template: string, role: string) {
  for (let attempt = 0; ; attempt++) {
    try {
      await admin.query(copyDatabase(database, template, role));
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== templateBusy || attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export const createAllTestDatabases = (
  prefix?: TemplatePrefix,
): Promise<{ urls: DatabaseUrls; drop(): Promise<void> }> =>
  createTestDatabases(subgraphNames, prefix);

/** Copies of the databases of the demo store. @param storeUrl the address of the router, for links to pictures */
export async function createStoreDatabases(storeUrl: string) {
  const databases = await createAllTestDatabases('store');
  await movePictures(databases.urls.product, storeUrl);
  return databases;
}

const workerId = Number(process.env.JEST_WORKER_ID ?? 1);
const portsPerSystem = 20;
const firstPort = Number(process.env.TEST_FIRST_PORT ?? 20_000);
let nextPort = firstPort + (workerId % 8) * 500 + Math.floor(Math.random() * 10) * portsPerSystem;

/** The first of twenty free ports; each worker has its own range, outside of the ephemeral ports. */
export async function freePortRange(): Promise<number> {
  for (let attempt = 0; attempt < 25; attempt++) {
    const base = nextPort;
    nextPort += portsPerSystem;
    const all = Array.from({ length: portsPerSystem }, (_, n) => base + n);
    const free = await Promise.all([...all, ...all.map((port) => port + 5000)].map(isPortFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports for a test system');
}

async function command(url: string, send: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url);
  await send(redis);
  redis.disconnect();
}

/** A Redis for one test file, on one port; it can be stopped and restarted. */
export async function startTestRedis() {
  const port = (await freePortRange()) + 15;
  const program = JSON.parse(process.env.TEST_REDIS_PROGRAM as string);
  const options = { port, args: ['--enable-debug-command', 'yes'] };
  let server = await startRedis(program, options);
  return {
    url: server.url,
    async stop() {
      await server.stop();
    },
    /** Kills it, as when a machine fails. */
    async kill() {
      server.process.kill('SIGKILL');
      await server.stop();
    },
    /** It accepts commands and does not respond, until `resume`. */
    pause: () => server.process.kill('SIGSTOP'),
    resume: () => server.process.kill('SIGCONT'),
    /** Makes it a replica of a server that does not exist: it answers, and takes no writes. */
    demote: () => command(server.url, (redis) => redis.replicaof('127.0.0.1', 1)),
    /** As `demote`, and it answers nothing but MASTERDOWN. */
    makeStale: () =>
      command(server.url, async (redis) => {
        await redis.config('SET', 'replica-serve-stale-data', 'no');
        await redis.config('SET', 'replica-read-only', 'no');
        await redis.replicaof('127.0.0.1', 1);
      }),
    promote: () => command(server.url, (redis) => redis.replicaof('NO', 'ONE')),
    /** Deletes all that it stores. */
    flush: () => command(server.url, (redis) => redis.flushall()),
    async restart() {
      await server.stop();
      server = await startRedis(program, options);
    },
  };
}
export type TestRedis = Awaited<ReturnType<typeof startTestRedis>>;
