import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { storeOutcome } from '../../shared/idempotency/claim-key.js';
import type { CheckoutAttempt } from './find-or-place-order.js';
import type { Outcome } from './outcome.js';

/**
 * Changes the order of a checkout, and stores the outcome under its key in the same commit.
 *
 * @param change returns the outcome; null if there is none yet, and then nothing is stored
 * @returns what `change` returned
 */
export function commitOutcome<O extends Outcome | null>(
  { app, key, orderId }: CheckoutAttempt,
  change: (em: EntityManager) => Promise<O>,
): Promise<O> {
  return transact(app.orm.em, async (em) => {
    const outcome = await change(em);
    if (outcome) await storeOutcome(em, key, orderId, outcome);
    return outcome;
  });
}
