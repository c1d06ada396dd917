import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../ops/subgraph-names.js';
import { endProcess, StartError } from './databases/server-process.js';
import { programs } from './programs.js';

/**
 * Options of Node, also in images (`docker/Dockerfile`). The objects of a GraphQL request are garbage at its
 * end: in a larger young generation most of them are collected without being copied (docs/adr/0012-browse.md).
 */
export const nodeOptions = ['--enable-source-maps', '--max-semi-space-size=64'];
/** Longer than a busy machine takes to start all at once. */
const readyMaxMs = 180_000;
const stopMaxMs = 12_000;

export interface ProcessOptions {
  readonly name: string;
  /** in `dist` */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  /** called with the process before it is ready, so that it can be stopped already */
  onSpawn(process: RunningProcess): void;
  /** called with each line that the process writes */
  onLine(line: string): void;
  /** called if the process exits without being stopped */
  onCrash(name: string): void;
}
export interface RunningProcess {
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts one process of the system, in its own process group, and waits until it reports that it is ready.
 * It stops by itself when this process exits (its IPC channel closes).
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const program = join(root, 'dist', options.program);
  const child = spawn(process.execPath, [...nodeOptions, program], {
    cwd: root,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  let lastOutput = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (stream === child.stderr) lastOutput = `${lastOutput}${line}\n`.slice(-2000);
      options.onLine(line);
    });
  }
  let stopping = false;
  const running: RunningProcess = {
    child,
    stop() {
      stopping = true;
      return endProcess(child, 'SIGTERM', stopMaxMs);
    },
  };
  options.onSpawn(running);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new StartError(`The ${options.name} process did not become ready in time.`));
    }, readyMaxMs);
    child.once('message', () => {
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(
        new StartError(`The ${options.name} process exited at its start: ${lastOutput.trim()}`),
      );
    });
  });
  child.removeAllListeners('exit');
  child.once('exit', () => {
    if (!stopping) options.onCrash(options.name);
  });
  return running;
}

/** Starts one of the system's programs for a test or a benchmark, which watches its exit by itself. */
export const startProgram = (
  name: keyof typeof programs,
  env: NodeJS.ProcessEnv,
  onLine: (line: string) => void = () => {},
): Promise<RunningProcess> =>
  startProcess({
    name,
    program: programs[name],
    env,
    onSpawn: () => {},
    onLine,
    onCrash: () => {},
  });
