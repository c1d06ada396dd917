import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type ListenOptions } from 'node:net';
import { dirname, join } from 'node:path';

/** Stops `npm start` with a message that says how to fix the problem. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}

/** Whether a command exits with code 0. */
export function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a server in its own process group, so that Ctrl-C does not reach it directly. It ends with this
 * process even if that is killed, where `setpriv --pdeathsig` is available.
 */
export function spawnServer(command: readonly string[], options: SpawnOptions): ChildProcess {
  const tied = works('setpriv', ['--pdeathsig', 'INT', 'true']);
  const [program, ...args] = tied ? ['setpriv', '--pdeathsig', 'INT', ...command] : command;
  return spawn(program as string, args, { ...options, detached: true });
}

/** Stops a server and waits until it has exited; kills it after the timeout. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals, timeoutMs: number) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(timer);
}

// macOS allows 103 bytes, Linux 107.
const socketPathMax = 103;

/**
 * Whether a server can have a Unix socket at this path: it is not too long, and the file system of its folder has
 * sockets (shared folders of virtual machines often have none).
 */
export async function canHaveSocket(path: string): Promise<boolean> {
  if (process.platform === 'win32' || Buffer.byteLength(path) > socketPathMax) return false;
  // A name of its own, as several may start in one folder; shorter than those of servers.
  const probePath = join(dirname(path), `.${randomBytes(4).toString('hex')}`);
  try {
    return await listens({ path: probePath });
  } finally {
    rmSync(probePath, { force: true });
  }
}

/** Whether no process listens on a port of this machine. */
export function isPortFree(port: number): Promise<boolean> {
  return listens({ port, host: '127.0.0.1' });
}

function listens(where: ListenOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(where, () => probe.close(() => resolve(true)));
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port: 0, host: '127.0.0.1' }, () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
