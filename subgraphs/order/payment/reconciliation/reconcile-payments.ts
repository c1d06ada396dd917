import type { OrderApp } from '../../context.js';
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
 * Runs the reconciliations that are due with each configured provider, one at a time, each by one of many
 * processes. One that fails is retried later, and does not stop the others.
 *
 * @param now decides which are due
 * @returns how many it finished
 */
export async function reconcilePayments(
  { providers, ...app }: Pick<OrderApp, 'orm' | 'providers' | 'logger'>,
  isStopping: () => boolean = () => false,
  now = new Date(),
): Promise<number> {
  const em = app.orm.em.fork();
  let finished = 0;
  for (const provider of providers.all) {
    for (const due of await findDueReconciliations(em, provider.name, now)) {
      if (isStopping()) return finished;
      const claim = await claimReconciliation(em, due);
      if (claim && (await run({ ...app, provider }, claim, isStopping))) finished += 1;
    }
  }
  return finished;
}

/** @returns whether it finished */
async function run(
  app: ReconciliationApp,
  first: ClaimedReconciliation,
  isStopping: () => boolean,
): Promise<boolean> {
  const { provider, day, daysAfter } = first;
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
    if (isFinished) app.logger.info({ provider, day, daysAfter, differences }, 'day reconciled');
    return isFinished;
  } catch (err) {
    const isInterrupted = err instanceof Interrupted;
    if (!isInterrupted) {
      app.logger.error({ err, provider, day, daysAfter }, 'reconciliation failed; it is retried');
    }
    // If this fails, the claim lapses.
    await releaseReconciliation(em, claim, isInterrupted ? 0 : retryAfterMs).catch(() => {});
    return false;
  }
}
