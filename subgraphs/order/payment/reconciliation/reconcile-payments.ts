import {
  type ClaimedReconciliation,
  claimReconciliation,
  findDueReconciliations,
  finishReconciliation,
  releaseReconciliation,
  renewClaim,
} from './claim-reconciliation.js';
import { reconcileDay } from './reconcile-day.js';
import type { ReconciliationApp } from './resolve-differences.js';

const retryAfterMs = 600_000;

/** The process stops, or another one has taken over. */
class Interrupted extends Error {}

/**
 * Runs the reconciliations that are due, one at a time, each by one of many processes. One that fails is
 * retried later, and does not stop the others.
 *
 * @param now decides which are due
 * @returns how many it finished
 */
export async function reconcilePayments(
  app: ReconciliationApp,
  isStopping: () => boolean = () => false,
  now = new Date(),
): Promise<number> {
  const em = app.orm.em.fork();
  let finished = 0;
  for (const due of await findDueReconciliations(em, app.provider.name, now)) {
    if (isStopping()) break;
    const claim = await claimReconciliation(em, due);
    if (claim && (await run(app, claim, isStopping))) finished += 1;
  }
  return finished;
}

/** @returns whether it finished */
async function run(
  app: ReconciliationApp,
  first: ClaimedReconciliation,
  isStopping: () => boolean,
): Promise<boolean> {
  const { day, daysAfter } = first;
  const em = app.orm.em.fork();
  let claim = first;
  const checkpoint = async () => {
    if (isStopping()) throw new Interrupted();
    const renewed = await renewClaim(em, claim);
    if (!renewed) throw new Interrupted();
    claim = renewed;
  };
  try {
    const { length: differences } = await reconcileDay(app, day, checkpoint);
    const isFinished = await finishReconciliation(em, claim, differences);
    if (isFinished) app.logger.info({ day, daysAfter, differences }, 'day reconciled');
    return isFinished;
  } catch (err) {
    const isInterrupted = err instanceof Interrupted;
    if (!isInterrupted) {
      app.logger.error({ err, day, daysAfter }, 'reconciliation failed; it is retried');
    }
    // If this fails, the claim lapses.
    await releaseReconciliation(em, claim, isInterrupted ? 0 : retryAfterMs).catch(() => {});
    return false;
  }
}
