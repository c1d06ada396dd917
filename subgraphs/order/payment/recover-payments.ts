import { type DueJobs, runDueJobs } from '../../shared/runtime/due-jobs.js';
import type { OrderApp } from '../context.js';
import { finishPayment } from './advance-payment.js';

export const paymentJobs: DueJobs = {
  table: 'payment',
  unfinished: 'next_attempt_at is not null',
  returning: 'job.id',
  batchMax: 16,
  retryFirstMs: 4000,
  retryMaxMs: 60_000,
};

/**
 * Processes payments that are due: left half-way by a process, waiting for the customer or the bank,
 * to be ended at the provider, or reported by a webhook.
 *
 * @returns the number of payments processed
 */
export function recoverPayments(
  app: OrderApp,
  isStopping: () => boolean = () => false,
): Promise<number> {
  return runDueJobs<{ id: string }>(app.orm.em, paymentJobs, isStopping, ({ id }) =>
    finishPayment(app, id),
  );
}
