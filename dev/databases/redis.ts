import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { closeRedis } from '../../subgraphs/shared/runtime/redis.js';
import type { RunningServer } from './postgres.js';
import { canHaveSocket, endProcess, StartError, spawnServer, works } from './server-process.js';

const run = promisify(execFile);
const readyMaxMs = 10_000;
const readyStepMs = 20;
const stopMaxMs = 5000;

interface RedisProgram {
  readonly path: string;
  readonly libraryPath?: string;
}

interface RedisOptions {
  readonly port: number;
  /** for a Unix socket too, which costs less CPU time than TCP; if there can be none at this path, by TCP only */
  readonly socketPath?: string;
  readonly args?: readonly string[];
}

/** Starts a Redis without persistence. */
export async function startRedis(
  program: RedisProgram,
  { port, socketPath = '', args: moreArgs = [] }: RedisOptions,
): Promise<RunningServer> {
  const base = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const address = new URL(`redis://127.0.0.1:${port}`);
  const hasSocket = socketPath !== '' && (await canHaveSocket(socketPath));
  if (hasSocket) address.searchParams.set('path', socketPath);
  const socket = hasSocket ? ['--unixsocket', socketPath, '--unixsocketperm', '700'] : [];
  const args = [...base, ...socket, ...moreArgs];
  const child = spawnServer([program.path, ...args], {
    stdio: 'ignore',
    env: { ...process.env, ...(program.libraryPath && { LD_LIBRARY_PATH: program.libraryPath }) },
  });
  const url = address.href;
  const stop = () => endProcess(child, 'SIGTERM', stopMaxMs);
  const deadlineMs = Date.now() + readyMaxMs;
  while (!(await isReachable(url))) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      await stop();
      throw new StartError(`Redis (${program.path}) did not start on port ${port}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, readyStepMs));
  }
  return { url, process: child, stop };
}

/** The address of one of the databases of a Redis. */
export function redisDatabase(serverUrl: string, database: number): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

/** Whether a Redis responds at this address. */
export async function isReachable(url: string): Promise<boolean> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } catch {
    return false;
  } finally {
    await closeRedis(redis);
  }
}

/**
 * Finds a Redis server: on the PATH, or in a folder into which Debian's package is unpacked once. No npm
 * package contains the real server, and unpacking does not need root.
 */
export async function findRedis(folder: string): Promise<RedisProgram> {
  for (const path of ['redis-server', 'valkey-server']) {
    if (works(path, ['--version'])) return { path };
  }
  const unpacked = { path: join(folder, 'redis-server'), libraryPath: libraryPath(folder) };
  if (existsSync(unpacked.path)) return unpacked;
  try {
    await unpackDebianRedis(folder);
  } catch (error) {
    throw new StartError(
      `Redis is not installed, and Debian's package could not be downloaded (${reasonOf(error)}): ` +
        'install redis-server or valkey-server, or set the address of one as REDIS_URL.',
    );
  }
  return unpacked;
}

const reasonOf = (error: unknown) =>
  ((error as { stderr?: string }).stderr || (error as Error).message).trim().split('\n').at(-1);

function libraryPath(folder: string): string {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return [join(folder, 'usr/lib', triplet), join(folder, 'lib', triplet)].join(':');
}

// redis-tools has the server as redis-check-rdb; the others are its shared libraries besides libc.
const packages = ['redis-tools', 'libhiredis0.14', 'libjemalloc2', 'liblzf1', 'liblua5.1-0'];
const optionalPackages = ['libatomic1', 'libssl3', 'libsystemd0', 'lua-bitop', 'lua-cjson'];

async function unpackDebianRedis(folder: string): Promise<void> {
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, 'deb'), { recursive: true });
  const download = async (aptOptions: string[]) => {
    await run('apt-get', [...aptOptions, 'download', ...packages], { cwd: join(work, 'deb') });
    for (const name of optionalPackages) {
      const args = [...aptOptions, 'download', name];
      await run('apt-get', args, { cwd: join(work, 'deb') }).catch(() => {});
    }
  };
  try {
    await download([]);
  } catch {
    // Missing or old package lists: fetch them into another folder, which does not need root.
    const folders = aptFolders(join(work, 'apt'));
    await run('apt-get', [...folders, 'update']);
    await download(folders);
  }
  for (const file of readdirSync(join(work, 'deb'))) {
    await run('dpkg-deb', ['-x', join(work, 'deb', file), work]);
  }
  rmSync(join(work, 'apt'), { recursive: true, force: true });
  symlinkSync('usr/bin/redis-check-rdb', join(work, 'redis-server'));
  await run(join(work, 'redis-server'), ['--version'], {
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath(work) },
  });
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
}

function aptFolders(folder: string): string[] {
  for (const name of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(folder, name), { recursive: true });
  }
  return [
    ...['-o', `Dir::State=${join(folder, 'state')}`],
    ...['-o', 'Dir::State::status=/var/lib/dpkg/status'],
    ...['-o', `Dir::Cache=${join(folder, 'cache')}`],
  ];
}
