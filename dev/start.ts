import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pinoPretty from 'pino-pretty';
import { startPostgres } from './databases/postgres.js';
import { answers, findRedis, startRedis } from './databases/redis.js';
import { isPortFree, StartError } from './databases/server-process.js';
import { createDatabases, type DatabaseUrls, migrateAll } from './databases/set-up.js';
import { environments, portsFrom } from './environment.js';
import { type RunningProcess, startProcess } from './processes.js';
import { seedStore } from './seed/store.js';
import { programs } from './services.js';
import {
  forgetRunningSystem,
  forgetState,
  loadSecrets,
  stateFolder,
  writeRunningSystem,
} from './state.js';
import { watchSources } from './watch.js';
import { welcome } from './welcome.js';

/** `npm start`: the whole system on this machine, on databases it brings itself. */
const fresh = process.argv.includes('--fresh');
const watch = process.argv.includes('--watch');
const folder = stateFolder();
const ports = portsFrom(Number(process.env.PORT ?? 4000));
const postgresPort = Number(process.env.POSTGRES_PORT ?? 54_329);
const redisPort = Number(process.env.REDIS_PORT ?? 63_799);
const startedAtMs = Date.now();

/** What is to be ended, the last first. */
const running: Array<{ stop(): Promise<unknown> }> = [];
let ending: Promise<void> | undefined;

function end(code: number): Promise<void> {
  ending ??= (async () => {
    for (const part of running.reverse()) await part.stop();
    forgetRunningSystem(folder);
    process.exit(code);
  })();
  return ending;
}

function step(text: string): void {
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${text}`);
}

async function requirePorts(): Promise<void> {
  const needed = [
    ...Object.entries(ports.ports),
    ...Object.entries(ports.ops).map(([name, port]) => [`${name} (operations)`, port] as const),
    ['payment sandbox', ports.sandbox] as const,
    ...(process.env.DATABASE_URL ? [] : [['PostgreSQL', postgresPort] as const]),
    ...(process.env.REDIS_URL ? [] : [['Redis', redisPort] as const]),
  ];
  for (const [name, port] of needed) {
    if (await isPortFree(port)) continue;
    const variable = { PostgreSQL: 'POSTGRES_PORT', Redis: 'REDIS_PORT' }[name] ?? 'PORT';
    throw new StartError(
      `Port ${port} (${name}) is taken: is the system running already? ` +
        `Stop what has it, or choose another with ${variable}.`,
    );
  }
}

async function bringPostgres(password: string): Promise<string> {
  const given = process.env.DATABASE_URL;
  if (given) return given;
  const options = { dataDir: join(folder, 'postgres'), logFile: join(folder, 'postgres.log') };
  const postgres = await startPostgres({ ...options, port: postgresPort, password, durable: true });
  running.push(postgres);
  step('PostgreSQL runs');
  return postgres.url;
}

async function bringRedis(): Promise<string> {
  const given = process.env.REDIS_URL;
  if (given) {
    if (await answers(given)) return given;
    throw new StartError(`No Redis answers at ${new URL(given).host}: check REDIS_URL.`);
  }
  const redis = await startRedis(await findRedis(join(folder, 'redis')), redisPort);
  running.push(redis);
  step('Redis runs');
  return redis.url;
}

/** All lines go into one file as they are; people see them pretty, once the welcome is printed. */
function openLog() {
  const file = createWriteStream(join(folder, 'holdfast.log'), { flags: 'a' });
  const pretty = pinoPretty({
    colorize: process.stdout.isTTY,
    ignore: 'pid,hostname',
    singleLine: true,
    destination: process.stdout,
  });
  let shown = false;
  return {
    write(line: string) {
      file.write(`${line}\n`);
      if (shown) pretty.write(`${line}\n`);
    },
    show() {
      shown = true;
    },
  };
}

function nodeEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    NODE_ENV: 'development',
    NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
  };
}

async function startProcesses(envs: ReturnType<typeof environments>): Promise<void> {
  const log = openLog();
  const base = nodeEnvironment();
  const onCrash = (name: string) => {
    if (ending) return;
    console.error(`The ${name} process ended by itself; ${join(folder, 'holdfast.log')} says why.`);
    void end(1);
  };
  const processes = new Map<string, RunningProcess>();
  const start = async (name: keyof typeof envs) => {
    const env = { ...base, ...envs[name] };
    const onLine = (line: string) => log.write(line);
    processes.set(
      name,
      await startProcess({ name, program: programs[name], env, onLine, onCrash }),
    );
  };
  running.push({ stop: () => Promise.all([...processes.values()].map((each) => each.stop())) });
  const names = Object.keys(programs) as (keyof typeof programs)[];
  const results = await Promise.allSettled(names.map(start));
  const failed = results.find((each) => each.status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
  step('five subgraphs, the router and the payment sandbox run');
  log.show();
  if (!watch) return;
  const watcher = watchSources(names, async (parts) => {
    for (const name of names.filter((each) => parts.has(each))) {
      await processes.get(name)?.stop();
      await start(name);
      console.log(`${name} runs again`);
    }
  });
  running.push(watcher);
}

async function main(): Promise<void> {
  await requirePorts();
  if (fresh) forgetState(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const secrets = await loadSecrets(folder);
  const bringing = [bringPostgres(secrets.databasePassword), bringRedis()] as const;
  const brought = await Promise.allSettled(bringing);
  for (const each of brought) if (each.status === 'rejected') throw each.reason;
  const [adminUrl, redisUrl] = await Promise.all(bringing);
  const databases: DatabaseUrls = await createDatabases(
    adminUrl,
    'holdfast',
    secrets.databasePassword,
  );
  await migrateAll(databases);
  step('five databases are up to date');
  await seedStore(databases);
  step('the demo store is there');
  const systemUrl = `http://localhost:${ports.ports.router}/graphql`;
  await startProcesses(environments({ databases, redisUrl, ports, secrets }));
  writeRunningSystem(folder, { graphqlUrl: systemUrl, databases });
  console.log(welcome(systemUrl, folder));
}

// Whoever started us may be killed without a word to us.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void end(0), 1000).unref();
process.on('SIGINT', () => void end(0));
process.on('SIGTERM', () => void end(0));
process.on('SIGHUP', () => void end(0));
main().catch(async (error: unknown) => {
  if (ending) return;
  console.error(error instanceof StartError ? error.message : error);
  await end(1);
});
