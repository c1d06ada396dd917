import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { storeOutcome } from '../../shared/idempotency/claim-key.js';
import type { CheckoutAttempt } from './find-or-place-order.js';
import type { Outcome } from './outcome.js';

type Change = (em: EntityManager) => Promise<Outcome>;

/**
 * Stores the outcome of a checkout under its key.
 *
 * @param outcome the outcome, or a change of the order in the same commit, which returns it
 * @returns the stored outcome
 */
export function commitOutcome(
  { app, key, orderId }: CheckoutAttempt,
  outcome: Outcome | Change,
): Promise<Outcome> {
  return transact(app.orm.em, async (em) => {
    const stored = typeof outcome === 'function' ? await outcome(em) : outcome;
    await storeOutcome(em, key, orderId, stored);
    return stored;
  });
}
