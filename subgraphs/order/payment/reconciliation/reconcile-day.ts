import { disputeComparison } from './compare-disputes.js';
import { compareListed, comparing } from './compare-listed.js';
import { paymentComparison } from './compare-payments.js';
import { refundComparison } from './compare-refunds.js';
import type { Difference } from './difference.js';
import { type ReconciliationApp, resolveDifferences } from './resolve-differences.js';
import { periodOf, type UtcDay } from './utc-day.js';

/**
 * Compares the payments, refunds and disputes that the provider created on a day with ours, then settles what
 * differs: orphaned transactions are canceled, payments are made due, the rest is for a person. Each
 * difference is logged as an error. What is in progress here is left to a later reconciliation.
 *
 * Everything is compared before anything is changed, so that nothing was done, and nothing is left out of the
 * report, if the provider fails meanwhile. It can be repeated.
 *
 * @param checkpoint called before each batch and each call to the provider; an error that it throws ends it
 * @throws an error of the provider, except about a single transaction to cancel
 */
export async function reconcileDay(
  app: ReconciliationApp,
  day: UtcDay,
  checkpoint: () => Promise<void> = async () => {},
): Promise<Difference[]> {
  const { orm, provider } = app;
  const work = comparing({ em: orm.em.fork(), provider, period: periodOf(day), checkpoint });
  const found = [
    ...(await compareListed(work, paymentComparison)),
    ...(await compareListed(work, refundComparison)),
    ...(await compareListed(work, disputeComparison)),
  ];
  return resolveDifferences(app, day, found, checkpoint);
}
