import type { MikroORM } from '@mikro-orm/postgresql';
import type { Schema } from '../database/connect.js';
import { requireServer } from '../database/server-requirements.js';
import { UnusableServerError } from '../database/unusable-server.js';
import type { Logger } from '../observability/logger.js';
import { startWorker } from './worker.js';

const recheckEveryMs = 1000;

/**
 * Passes while the database is away, or refuses the role: the process starts all the same, and is not ready. Once the
 * database is there, it is checked.
 *
 * @returns a function that ends the checks
 * @throws UnusableServerError
 */
export async function checkServer(
  orm: MikroORM,
  schema: Schema,
  logger: Logger,
  onUnusable: (error: UnusableServerError) => void,
): Promise<() => Promise<void>> {
  const check = () => requireServer(orm, schema, 'service');
  try {
    await check();
    return async () => {};
  } catch (error) {
    if (error instanceof UnusableServerError) throw error;
    logger.warn({ reason: (error as Error).message }, 'database not checked; trying again');
  }
  const worker = startWorker('check of the database', recheckEveryMs, logger, async () => {
    const error = await check().catch((reason: unknown) => reason);
    if (error instanceof UnusableServerError) onUnusable(error);
    if (error === undefined) logger.info('database checked');
    if (error === undefined || error instanceof UnusableServerError) void worker.stop();
  });
  return () => worker.stop();
}
