import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../ops/subgraph-names.js';
import { endProcess } from '../databases/server-process.js';

const basePort = 4700;
const readyMaxMs = 180_000;
const stopMaxMs = 30_000;

/** Starts `npm start` with a store of its own, beside one that runs already. */
export async function startStore(): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-screenshots-'));
  const env = {
    ...process.env,
    STATE_DIR: folder,
    PORT: String(basePort),
    POSTGRES_PORT: String(basePort + 20),
    REDIS_PORT: String(basePort + 21),
  };
  const child = spawn(process.execPath, [join(root, 'dist/dev/start.js')], { env, cwd: root });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready in time: ${output}`)), readyMaxMs);
    const read = (chunk: Buffer) => {
      output += chunk;
      if (output.includes('Stop with Ctrl-C')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', () => reject(new Error(`npm start exited: ${output}`)));
    child.once('exit', () => clearTimeout(timer));
  });
  const stop = async () => {
    await endProcess(child, 'SIGINT', stopMaxMs);
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  await ready.catch(async (error) => {
    await stop();
    throw error;
  });
  return { url: `http://localhost:${basePort}`, stop };
}
