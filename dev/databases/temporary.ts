import { spawn } from 'node:child_process';
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from './postgres.js';
import { freePort } from './server-process.js';

/**
 * Starts a PostgreSQL on a free port, whose data is deleted when it is stopped.
 *
 * @param durable whether its data is on a disk and COMMIT waits for it, as in production
 */
export async function startTemporaryPostgres(durable = false) {
  const folder = mkdtempSync(join(durable ? tmpdir() : volatileFolder(), 'holdfast-'));
  const remove = removeAtEnd(folder);
  const server = await startPostgres({
    dataDir: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    port: await freePort(),
    password: 'temporary',
    durable,
  }).catch(async (error) => {
    await remove();
    throw error;
  });
  return {
    url: server.url,
    processId: server.process.pid as number,
    async stop() {
      await server.stop();
      await remove();
    },
  };
}

const memoryFolder = '/dev/shm';
const memoryMinBytes = 4 * 2 ** 30;

/** In memory where there is room: copying a database, of 400 files, takes a tenth of the CPU time. */
function volatileFolder(): string {
  try {
    const { bavail, bsize } = statfsSync(memoryFolder);
    return bavail * bsize >= memoryMinBytes ? memoryFolder : tmpdir();
  } catch {
    return tmpdir();
  }
}

// Retries: a server that is ending may still write.
const removal = 'cat; for n in $(seq 50); do rm -rf "$1" && exit; sleep 0.2; done';

/**
 * Deletes a folder when this process ends, even if it is killed: its data may be in memory.
 *
 * @returns deletes it now
 */
function removeAtEnd(folder: string): () => Promise<void> {
  const child = spawn('sh', ['-c', removal, 'sh', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const removed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  child.unref();
  return () => {
    child.ref();
    child.stdin.end();
    return removed;
  };
}
