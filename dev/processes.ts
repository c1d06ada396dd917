import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from '../ops/subgraph-names.js';
import { endProcess, StartError } from './databases/server-process.js';
import { programs } from './programs.js';

/**
 * How Node is started; in images too (`docker/Dockerfile`). What a GraphQL request makes is garbage at its
 * end: in a larger young generation most of it dies before it is copied (docs/adr/0012-browse.md).
 */
export const nodeOptions = ['--enable-source-maps', '--max-semi-space-size=64'];
const readyMaxMs = 60_000;
const stopMaxMs = 12_000;

export interface ProcessOptions {
  readonly name: string;
  /** in `dist` */
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  /** is given the process before it is ready, to stop it even then */
  onSpawn(process: RunningProcess): void;
  /** is given each line that the process writes */
  onLine(line: string): void;
  /** is told when it ends though nobody stopped it */
  onCrash(name: string): void;
}
export interface RunningProcess {
  readonly child: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Runs one process of the system, in a group of its own, and waits until it says that it is ready.
 * It stops by itself when this process is gone (its IPC channel closes).
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const program = join(root, 'dist', options.program);
  const child = spawn(process.execPath, [...nodeOptions, program], {
    cwd: root,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  });
  let lastWords = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (stream === child.stderr) lastWords = `${lastWords}${line}\n`.slice(-2000);
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
      reject(new StartError(`The ${options.name} process did not get ready in time.`));
    }, readyMaxMs);
    child.once('message', () => {
      clearTimeout(timer);
      resolve();
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new StartError(`The ${options.name} process ended at start: ${lastWords.trim()}`));
    });
  });
  child.removeAllListeners('exit');
  child.once('exit', () => {
    if (!stopping) options.onCrash(options.name);
  });
  return running;
}

/** Runs one of the system's programs for a test or a benchmark, which notices itself when it ends. */
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
