import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environments, noHoldLimits, type Ports, portsFrom } from '../../dev/environment.js';
import { type RunningProcess, startProgram } from '../../dev/processes.js';
import { programs } from '../../dev/programs.js';
import type { DatabaseUrls } from '../../ops/databases/urls.js';
import { makeSecrets } from '../../ops/secrets/secrets.js';
import { verify } from '../../ops/verify/verify.js';
import {
  createStoreDatabases,
  freePortRange,
  startTestRedis,
  type TestRedis,
} from './databases.js';
import { expectHolding } from './expect-holding.js';
import { postGraphQL } from './system.js';

export type ProcessName = keyof typeof programs;

/** Where the parts of a system are, before its processes start. */
export interface Servers {
  readonly databases: DatabaseUrls;
  readonly redis: TestRedis;
  /** the only node of the locks, a server of its own */
  readonly lockRedis: TestRedis;
  readonly ports: Ports;
}
/** Settings of each process besides those of all. */
export type ProcessSettings = Partial<Record<ProcessName, Record<string, string>>>;

/**
 * The system as `npm start` runs it, each part a process that can be killed and restarted.
 *
 * @param settingsOf may put something between the processes and their servers
 */
export async function startProcessSystem(
  overrides: Record<string, string> = {},
  settingsOf: (servers: Servers) => Promise<ProcessSettings> = async () => ({}),
) {
  const ports = portsFrom(await freePortRange());
  const [databases, redis, lockRedis, secrets] = await Promise.all([
    createStoreDatabases(`http://127.0.0.1:${ports.ports.router}`),
    startTestRedis(),
    startTestRedis(),
    makeSecrets(),
  ]);
  const envs = environments({ databases: databases.urls, redisUrl: redis.url, ports, secrets });
  const ownLocks = { LOCK_REDIS_URLS: lockRedis.url };
  const own = await settingsOf({ databases: databases.urls, redis, lockRedis, ports });
  // The sandbox keeps its payments when it is killed.
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-processes-'));
  const books = { PAYMENT_SANDBOX_FILE: join(folder, 'payments.jsonl') };
  const failPointFile = (name: ProcessName) => join(folder, `${name}.fail-point`);
  /** each process that is being started, or runs, or has exited since; by its name, or `NAME beside` */
  const running = new Map<string, Promise<RunningProcess>>();
  const startAgain = new Map<string, () => Promise<void>>();
  const startWith = (name: ProcessName, settings: Record<string, string>) => {
    const env = { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '', LOG_LEVEL: 'warn' };
    const raised = {
      RATE_LIMIT_PROFILE: 'bench',
      PAYMENT_TIMEOUT_SECONDS: '4',
      ...noHoldLimits,
      FAIL_POINT_FILE: failPointFile(name),
    };
    const given = {
      ...env,
      ...raised,
      ...books,
      ...overrides,
      ...envs[name],
      ...ownLocks,
      ...own[name],
      ...settings,
    };
    return startProgram(name, given);
  };
  const start = async (
    name: ProcessName,
    settings: Record<string, string> = {},
    key: string = name,
  ) => {
    const starting = startWith(name, settings);
    running.set(key, starting);
    startAgain.set(key, () => start(name, settings, key));
    await starting;
  };
  const processOf = (name: ProcessName) => running.get(name) as Promise<RunningProcess>;
  await Promise.all(Object.keys(programs).map((name) => start(name as ProcessName)));
  const urlAt = (port: number) => `http://127.0.0.1:${port}/graphql`;
  const graphqlAt =
    (url: string) =>
    (query: string, variables: object = {}, token?: string) =>
      postGraphQL(url, query, variables, token);
  const url = urlAt(ports.ports.router);
  return {
    url,
    secrets,
    ports,
    redis,
    lockRedis,
    databases: databases.urls,
    graphql: graphqlAt(url),
    start,
    /**
     * Starts a second order process, and a router that sends to it.
     *
     * @returns as `graphql`, through that router
     */
    async startOrderBeside() {
      const { ports, ops } = portsFrom(await freePortRange());
      const portsOf = (name: 'order' | 'router') => {
        return { PORT: String(ports[name]), OPS_PORT: String(ops[name]) };
      };
      await start('order', portsOf('order'), 'order beside');
      const ofOrder = { SUBGRAPH_URL_ORDER: urlAt(ports.order) };
      await start('router', { ...portsOf('router'), ...ofOrder }, 'router beside');
      return graphqlAt(urlAt(ports.router));
    },
    /** `kill -9`, and waits until the process has exited. One that is being started is killed when it is ready. */
    async kill(name: ProcessName) {
      const { child } = await processOf(name);
      child.kill('SIGKILL');
      await exited(child);
    },
    /** Stops a process without ending it: it accepts connections and never answers, until `thaw`. */
    freeze: async (name: ProcessName) => (await processOf(name)).child.kill('SIGSTOP'),
    thaw: async (name: ProcessName) => (await processOf(name)).child.kill('SIGCONT'),
    /**
     * Makes a process die at a fail point, at the first pass or the given one; of two processes of that name the one
     * that passes it first.
     */
    arm: (name: ProcessName, point: string, at = 1) =>
      writeFileSync(failPointFile(name), `${point}@${at}`),
    /** Waits until the process has exited by itself. */
    gone: async (name: ProcessName) => exited((await processOf(name)).child),
    /** Waits until one of the two order processes has exited by itself. @returns starts it again */
    async goneOrder(): Promise<() => Promise<void>> {
      const gone = ['order', 'order beside'].map(async (key) => {
        await exited((await (running.get(key) as Promise<RunningProcess>)).child);
        return key;
      });
      return startAgain.get(await Promise.race(gone)) as () => Promise<void>;
    },
    async stop() {
      const started = await Promise.allSettled(running.values());
      const each = started.flatMap((start) => (start.status === 'fulfilled' ? start.value : []));
      await Promise.all(each.map((process) => process.stop()));
      await Promise.all([databases.drop(), redis.stop(), lockRedis.stop()]);
      rmSync(folder, { recursive: true });
    },
    async expectInvariants(recoveryMaxMs: number) {
      const options = { atRest: true, looksApartMs: recoveryMaxMs };
      const verdicts = await verify(databases.urls, options);
      expectHolding(verdicts);
    },
  };
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

export type ProcessSystem = Awaited<ReturnType<typeof startProcessSystem>>;
