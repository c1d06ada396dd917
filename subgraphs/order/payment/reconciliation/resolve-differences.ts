import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import type { OrderApp } from '../../context.js';
import { markPaymentsDue } from '../../order/payment-signals.js';
import type { PaymentProvider } from '../provider/payment-provider.js';
import { batchMax } from './compare-listed.js';
import type { Difference, FoundDifference } from './difference.js';
import { repeatNotDone } from './repeat-not-done.js';
import type { UtcDay } from './utc-day.js';

/** What the reconciliation with one provider needs. */
export interface ReconciliationApp extends Pick<OrderApp, 'orm' | 'logger'> {
  readonly provider: PaymentProvider;
}

/**
 * Does what is to be done about differences, in batches, and logs each. A transaction that cannot be canceled
 * does not stop the others.
 *
 * @param checkpoint called before each batch and each call to the provider; an error that it throws ends it
 */
export async function resolveDifferences(
  app: ReconciliationApp,
  day: UtcDay,
  found: readonly FoundDifference[],
  checkpoint: () => Promise<void>,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (let at = 0; at < found.length; at += batchMax) {
    const batch = found.slice(at, at + batchMax);
    await checkpoint();
    await makeDue(app.orm.em.fork(), batch);
    for (const { action, ...difference } of batch) {
      if (action === 'CANCEL') await checkpoint();
      const end =
        action === 'CANCEL' ? await cancel(app, difference, checkpoint) : { done: doneBy[action] };
      const resolved = { ...difference, ...end };
      log(app, day, resolved);
      differences.push(resolved);
    }
  }
  return differences;
}

const doneBy = { MAKE_DUE: 'MADE_DUE', REPORT: 'REPORTED' } as const;

/** The worker settles these payments by what the provider knows. */
async function makeDue(em: EntityManager, batch: readonly FoundDifference[]): Promise<void> {
  const due = batch.filter(({ action }) => action === 'MAKE_DUE');
  const paymentIds = [...new Set(due.map(({ subject }) => subject.paymentId as string))];
  if (paymentIds.length === 0) return;
  await sql(em, makeDueSql, [paymentIds]);
  markPaymentsDue(em, paymentIds);
}

// payment_id: a difference knows only ids. In the order of the ids (locks.ts).
const makeDueSql = `
  with locked as materialized (
    select customer_id, id from payment where id = any($1::uuid[]) and next_attempt_at is null
    order by id for no key update
  )
  update payment set next_attempt_at = now(), attempts = 0
  from locked
  where payment.customer_id = locked.customer_id and payment.id = locked.id`;

async function cancel(
  { provider }: ReconciliationApp,
  { subject }: Omit<FoundDifference, 'action'>,
  checkpoint: () => Promise<void>,
): Promise<Pick<Difference, 'done' | 'reason'>> {
  let interruption: unknown;
  const check = () =>
    checkpoint().catch((error) => {
      interruption = error;
      throw error;
    });
  try {
    const id = subject.transactionId as string;
    const { status } = await repeatNotDone(() => provider.cancel(id), check);
    if (status === 'canceled' || status === 'declined') return { done: 'CANCELED' };
    return { done: 'NOT_DONE', reason: `it is ${status} after it was canceled` };
  } catch (error) {
    if (error === interruption) throw error;
    return { done: 'NOT_DONE', reason: (error as Error).message };
  }
}

function log({ logger }: ReconciliationApp, day: UtcDay, difference: Difference): void {
  const { subject, ...facts } = difference;
  logger.error({ day, ...subject, ...facts }, 'payment differs from the provider');
}
