import { spawn } from 'node:child_process';
import { endProcess } from '../../../dev/databases/server-process.js';
import { nodeOptions } from '../../../dev/processes.js';

/** Source maps cost the other gateways a tenth and the router nothing, so they run without them. */
const options = nodeOptions.filter((option) => option !== '--enable-source-maps');
const readyMaxMs = 60_000;
const stopMaxMs = 5000;

export interface Gateway {
  readonly url: string;
  readonly processId: number;
  stop(): Promise<void>;
}

/** Starts a gateway with the router's options of Node, and waits until it answers. @throws if it does not */
export async function startGateway({
  name,
  args,
  env,
  url,
}: {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly url: string;
}): Promise<Gateway> {
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
  // A gateway must not outlive a benchmark that is interrupted.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    await endProcess(child, 'SIGTERM', stopMaxMs);
  };
  const endMs = performance.now() + readyMaxMs;
  while (!(await answers(url))) {
    if (child.exitCode !== null || performance.now() > endMs) {
      await stop();
      throw new Error(`The ${name} gateway did not become ready: ${output.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { url, processId: child.pid as number, stop };
}

async function answers(url: string): Promise<boolean> {
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
