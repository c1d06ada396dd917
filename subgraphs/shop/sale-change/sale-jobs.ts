import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { isTryAgain } from '../../shared/errors.js';
import type { Logger } from '../../shared/observability/logger.js';
import { type DueJobs, type JobQueue, runDueJobs } from '../../shared/runtime/due-jobs.js';
import type { ShopApp } from '../context.js';
import { advanceSale } from './advance-sale.js';

/** Changes of sales that the warehouse has not confirmed, by the index `sale_event_due`. */
const saleQueue: JobQueue = {
  table: 'sale_event',
  dueAt: 'next_attempt_at',
  unfinished: 'step is not null',
};

const saleJobs: DueJobs = {
  ...saleQueue,
  returning: 'job.id',
  batchMax: 4,
  retryFirstMs: 4000,
  retryMaxMs: 60_000,
};

interface Running {
  readonly app: ShopApp;
  readonly em: EntityManager;
  readonly logger: Logger;
}

/** Completes changes of sales whose requests did not. @returns the number of changes tried */
export function completeChanges(
  { app, em, logger }: Running,
  isStopping: () => boolean = () => false,
): Promise<number> {
  return runDueJobs<{ id: string }>(em, saleJobs, isStopping, ({ id }) =>
    advanceSale(app, em, id).catch((error: Error) =>
      logger[isTryAgain(error) ? 'warn' : 'error']({ err: error, saleId: id }, 'sale not changed'),
    ),
  );
}

/** How long the oldest change of a sale that is not completed has been waiting, in seconds; 0 if there is none. */
export async function oldestChangeSeconds(em: EntityManager): Promise<number> {
  const [row] = await sql<{ age: string }>(
    em,
    `select coalesce(extract(epoch from now() - min(change_began_at)), 0) as age
     from sale_event where step is not null`,
  );
  return Math.max(0, Number(row?.age));
}
