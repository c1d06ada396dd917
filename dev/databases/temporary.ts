import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from './postgres.js';
import { freePort } from './server-process.js';

/**
 * Starts a PostgreSQL on a free port, whose data is deleted when it is stopped.
 *
 * @param durable whether COMMIT waits for the disk, as in production
 */
export async function startTemporaryPostgres(durable = false) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const server = await startPostgres({
    dataDir: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    port: await freePort(),
    password: 'temporary',
    durable,
  }).catch((error) => {
    remove();
    throw error;
  });
  return {
    url: server.url,
    processId: server.process.pid as number,
    async stop() {
      await server.stop();
      remove();
    },
  };
}
