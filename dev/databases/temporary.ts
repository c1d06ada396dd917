import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from './postgres.js';
import { freePort } from './server-process.js';

/** A PostgreSQL of its own, on a free port, that is gone with its data once it is stopped. */
export async function startTemporaryPostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const server = await startPostgres({
    dataDir: join(folder, 'postgres'),
    logFile: join(folder, 'postgres.log'),
    port: await freePort(),
    password: 'temporary',
    durable: false,
  }).catch((error) => {
    remove();
    throw error;
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      remove();
    },
  };
}
