import { type DueJobs, type JobQueue, runDueJobs } from '../../shared/runtime/due-jobs.js';
import type { RowKey } from '../row-key.js';
import { finishPayment } from './advance-payment.js';
import type { PaymentApp } from './payment-app.js';

/** Payments with something left to do, by the index `payment_due`. */
export const paymentQueue: JobQueue = {
  table: 'payment',
  dueAt: 'next_attempt_at',
  unfinished: 'next_attempt_at is not null',
};

/** @param providers the names of the configured ones: payments of others wait until theirs is configured */
export const paymentJobs = (providers: readonly string[]): DueJobs => ({
  ...paymentQueue,
  eligible: { sql: 'provider = any($1)', values: [providers] },
  key: ['customer_id', 'id'],
  returning: 'job.customer_id as "customerId", job.id',
  batchMax: 16,
  retryFirstMs: 4000,
  retryMaxMs: 60_000,
});

/**
 * Processes payments that are due: left half-way by a process, waiting for the customer or the bank,
 * to be ended at the provider, or reported by a webhook.
 *
 * @returns the number of payments processed
 */
export function recoverPayments(
  app: PaymentApp,
  isStopping: () => boolean = () => false,
): Promise<number> {
  const jobs = paymentJobs(app.providers.names);
  return runDueJobs<RowKey>(app.orm.em, jobs, isStopping, (payment) => finishPayment(app, payment));
}
