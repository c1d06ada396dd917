import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { createServer } from 'node:net';

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

/** Whether a Unix socket can have this path. */
export const isSocketPath = (path: string): boolean =>
  process.platform !== 'win32' && Buffer.byteLength(path) <= socketPathMax;

/** Whether no process listens on a port of this machine. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
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
