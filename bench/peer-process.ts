import { spawn } from 'node:child_process';
import { endProcess } from '../dev/databases/server-process.js';
import { nodeOptions } from '../dev/processes.js';

/** Source maps cost other programs a tenth and ours nothing, so they run without them. */
const options = nodeOptions.filter((option) => option !== '--enable-source-maps');
const readyMaxMs = 60_000;
const stopMaxMs = 5000;

export interface Peer {
  readonly processId: number;
  stop(): Promise<void>;
}

export interface PeerOptions {
  /** in the message that says that it did not start */
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  isReady(): Promise<boolean>;
}

/** Starts a program of others with our options of Node, and waits until it is ready. @throws if it does not start */
export async function startPeer({ name, args, env, isReady }: PeerOptions): Promise<Peer> {
  const child = spawn(process.execPath, [...options, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-2000);
    });
  }
  // It must not outlive a benchmark that is interrupted.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    await endProcess(child, 'SIGTERM', stopMaxMs);
  };
  const endMs = performance.now() + readyMaxMs;
  while (!(await isReady())) {
    if (child.exitCode !== null || performance.now() > endMs) {
      await stop();
      throw new Error(`${name} did not become ready: ${output.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { processId: child.pid as number, stop };
}

/** Whether a GraphQL server answers at this address. */
export async function answersGraphQL(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }' }),
    });
    return ((await response.json()) as { data?: object }).data !== undefined;
  } catch {
    return false;
  }
}
