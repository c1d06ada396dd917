import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import pinoPretty from 'pino-pretty';
import type { DatabaseUrls } from '../ops/databases/urls.js';
import { stateFolder, writeRunningSystem } from '../ops/running-system.js';
import { loadSecrets } from '../ops/secrets/secrets.js';
import { variables as routerVariables } from '../router/config.js';
import { loadConfig, logLevel, port, setting } from '../subgraphs/shared/config.js';
import { UnusableServerError } from '../subgraphs/shared/database/unusable-server.js';
import { startPostgres } from './databases/postgres.js';
import { findRedis, isReachable, startRedis } from './databases/redis.js';
import { isPortFree, StartError } from './databases/server-process.js';
import { createDatabases, migrateDatabases } from './databases/set-up.js';
import { publishDemoSale } from './demo-sale.js';
import { developmentEnvironments, portsFrom } from './environment.js';
import { type RunningProcess, startProcess } from './processes.js';
import { developmentPrograms, programs } from './programs.js';
import { seedStore } from './seed/store.js';
import { claimState, forgetState, releaseState } from './state.js';
import { watchSources } from './watch.js';
import { welcome } from './welcome.js';

/** `npm start`: runs the whole system on this machine, with its own databases. */
const fresh = process.argv.includes('--fresh');
const watch = process.argv.includes('--watch');
const withSale = process.argv.includes('--sale');
const folder = stateFolder();
const settings = readSettings();
const { POSTGRES_PORT: postgresPort, REDIS_PORT: redisPort } = settings;
const ports = portsFrom(settings.PORT);
const allPrograms = { ...programs, ...developmentPrograms };
const startedAtMs = Date.now();

/** What to stop, in reverse order. */
const running: Array<{ stop(): Promise<unknown> }> = [];
let ending: Promise<void> | undefined;
let hasState = false;

function readSettings() {
  // The processes run with NODE_ENV=development, so each of them would accept it.
  if (process.env.NODE_ENV === 'production') {
    console.error(
      'npm start is for development: it shows one-time codes and accounts with public passwords. ' +
        'Run it without NODE_ENV=production.',
    );
    return process.exit(1);
  }
  const portOfRouter = port.min(1).max(60_000); // operations ports are 5000 higher
  try {
    return loadConfig({
      PORT: setting(portOfRouter, '4000', 'the port of the router, 60,000 at most'),
      POSTGRES_PORT: setting(port.min(1), '54329', 'the port of PostgreSQL'),
      REDIS_PORT: setting(port.min(1), '63799', 'the port of Redis'),
      LOG_LEVEL: logLevel,
      RATE_LIMIT_PROFILE: routerVariables.RATE_LIMIT_PROFILE,
    });
  } catch (error) {
    console.error((error as Error).message);
    return process.exit(1);
  }
}

function end(code: number): Promise<void> {
  ending ??= (async () => {
    for (const part of running.reverse()) await part.stop();
    if (hasState) releaseState(folder);
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
    ['messages', ports.messages] as const,
    ['messages (SMTP)', ports.smtp] as const,
    ...(process.env.DATABASE_URL ? [] : [['PostgreSQL', postgresPort] as const]),
    ...(process.env.REDIS_URL ? [] : [['Redis', redisPort] as const]),
  ];
  for (const [name, port] of needed) {
    if (await isPortFree(port)) continue;
    const variable = { PostgreSQL: 'POSTGRES_PORT', Redis: 'REDIS_PORT' }[name] ?? 'PORT';
    throw new StartError(
      `Port ${port} (${name}) is in use. Is the system already running? ` +
        `Stop the process that uses it, or set another port with ${variable}.`,
    );
  }
}

function lostServer(name: string, log: string): void {
  if (ending) return;
  console.error(`${name} exited unexpectedly. See ${join(folder, log)}`);
  void end(1);
}

async function providePostgres(password: string): Promise<string> {
  const given = process.env.DATABASE_URL;
  if (given) {
    if (URL.canParse(given)) return given;
    throw new StartError('DATABASE_URL must be postgresql://role:password@host:port/database.');
  }
  const options = { dataDir: join(folder, 'postgres'), logFile: join(folder, 'postgres.log') };
  const postgres = await startPostgres({ ...options, port: postgresPort, password, durable: true });
  running.push(postgres);
  postgres.process.once('exit', () => lostServer('PostgreSQL', 'postgres.log'));
  step('PostgreSQL is up');
  return postgres.url;
}

async function provideRedis(): Promise<string> {
  const given = process.env.REDIS_URL;
  if (given) {
    if (!URL.canParse(given)) throw new StartError('REDIS_URL must be redis://host:port.');
    if (await isReachable(given)) return given;
    throw new StartError(`No Redis responds at ${new URL(given).host}: check REDIS_URL.`);
  }
  const program = await findRedis(join(folder, 'redis'));
  const socketPath = join(folder, 'redis.sock');
  const redis = await startRedis(program, { port: redisPort, socketPath });
  running.push(redis);
  redis.process.once('exit', () => lostServer('Redis', 'holdfast.log'));
  step('Redis is up');
  return redis.url;
}

/** Writes all lines to one file and, after the welcome is printed, formatted to the terminal. */
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
    LOG_LEVEL: settings.LOG_LEVEL,
  };
}

/** Stops callers before the processes that they call, so that requests in flight can complete. */
async function stopInOrder(processes: Map<string, RunningProcess>): Promise<void> {
  const called = ['user', 'product', 'shop', 'warehouse'];
  const waves = [['router'], ['order'], called, ['sandbox', 'messages']];
  for (const wave of waves) await Promise.all(wave.map((name) => processes.get(name)?.stop()));
}

async function startProcesses(envs: ReturnType<typeof developmentEnvironments>): Promise<void> {
  const log = openLog();
  const base = nodeEnvironment();
  const onCrash = (name: string) => {
    if (ending) return;
    if (watch) {
      console.error(`The ${name} process exited unexpectedly; it restarts with the next change.`);
      return;
    }
    console.error(`The ${name} process exited unexpectedly. See ${join(folder, 'holdfast.log')}`);
    void end(1);
  };
  const processes = new Map<string, RunningProcess>();
  const start = async (name: keyof typeof envs) => {
    const ofSandbox = { PAYMENT_SANDBOX_FILE: join(folder, 'payments.jsonl') };
    const env = { ...base, ...envs[name], ...(name === 'sandbox' && ofSandbox) };
    const onLine = (line: string) => log.write(line);
    const onSpawn = (started: RunningProcess) => processes.set(name, started);
    await startProcess({ name, program: allPrograms[name], env, onSpawn, onLine, onCrash });
  };
  running.push({ stop: () => stopInOrder(processes) });
  const names = Object.keys(allPrograms) as (keyof typeof allPrograms)[];
  const results = await Promise.allSettled(names.map(start));
  const failed = results.find((each) => each.status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
  step('five subgraphs, the router, the payment sandbox and the message server are up');
  log.show();
  if (!watch) return;
  const watcher = watchSources(names, async (parts) => {
    for (const name of names.filter((each) => parts.has(each))) {
      await processes.get(name)?.stop();
      await start(name).then(
        () => console.log(`${name} restarted`),
        (error: Error) => console.error(error.message),
      );
    }
  });
  running.push(watcher);
}

async function main(): Promise<void> {
  if (fresh && process.env.DATABASE_URL) {
    throw new StartError(
      '--fresh deletes only the databases that npm start runs, not those of DATABASE_URL.',
    );
  }
  await requirePorts();
  claimState(folder);
  hasState = true;
  if (fresh) forgetState(folder);
  const secrets = await loadSecrets(folder);
  const servers = [providePostgres(secrets.databasePassword), provideRedis()] as const;
  for (const each of await Promise.allSettled(servers))
    if (each.status === 'rejected') throw each.reason;
  const [adminUrl, redisUrl] = await Promise.all(servers);
  const databases: DatabaseUrls = await createDatabases(
    adminUrl,
    'holdfast',
    secrets.databasePassword,
  );
  await migrateDatabases(databases, Boolean(process.env.DATABASE_URL));
  step('five databases are up to date');
  const hasTls = process.env.TLS_CERT || process.env.TLS_CERT_FILE;
  const storeUrl = `${hasTls ? 'https' : 'http'}://localhost:${ports.ports.router}`;
  const systemUrl = `${storeUrl}/graphql`;
  await seedStore(databases, 0, { storeUrl });
  step('the demo store is there');
  const environmentOf = developmentEnvironments({ databases, redisUrl, ports, secrets });
  await startProcesses(environmentOf);
  const { EVENTS_REDIS_URL: eventsRedisUrl } = environmentOf.user;
  writeRunningSystem(folder, { graphqlUrl: systemUrl, databases, eventsRedisUrl });
  const { RATE_LIMIT_PROFILE: rateLimitProfile } = settings;
  console.log(welcome({ url: systemUrl, ports, rateLimitProfile, folder }));
  if (!withSale) return;
  const sale = publishDemoSale(systemUrl).catch((error: Error) => error.message);
  console.log(await sale);
}

// The parent process may be killed without a signal to this one.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && void end(0), 1000).unref();
process.on('SIGINT', () => void end(0));
process.on('SIGTERM', () => void end(0));
process.on('SIGHUP', () => void end(0));
main().catch(async (error: unknown) => {
  if (ending) return;
  const isKnown = error instanceof StartError || error instanceof UnusableServerError;
  console.error(isKnown ? error.message : error);
  await end(1);
});
