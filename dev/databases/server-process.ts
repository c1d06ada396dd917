import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { createServer } from 'node:net';

/** What stops `npm start` with one sentence that says how to mend it. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}

/** Whether a command runs and ends well. */
export function works(command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches it through us alone, and in
 * a way that it ends with us even when we are killed (`setpriv --pdeathsig`, where there is one).
 */
export function spawnServer(command: readonly string[], options: SpawnOptions): ChildProcess {
  const tied = works('setpriv', ['--pdeathsig', 'INT', 'true']);
  const [program, ...args] = tied ? ['setpriv', '--pdeathsig', 'INT', ...command] : command;
  return spawn(program as string, args, { ...options, detached: true });
}

/** Ends a server and waits for it; kills it when it does not end in time. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals, timeoutMs: number) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  await ended;
  clearTimeout(timer);
}

/** Whether nobody listens on a port of this machine. */
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
