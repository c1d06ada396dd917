import { transactionTimeoutMs } from '../../shared/database/connect.js';
import type { PendingChange } from '../sale/pending-change.js';
import type { LockedSale } from '../sale/require-sale.js';

/** How far ahead the earlier end of a live sale is, at least, when it is requested: the warehouse has to confirm it. */
const soonestEndMs = 10_000;
/** Longer than a transaction lasts: when a new start or end is committed, it has not passed. */
export const commitMarginMs = transactionTimeoutMs + 500;

type Ending = Pick<LockedSale, 'sale' | 'now'>;

/** The end that a live sale gets for a wanted one: never later than the one that it has. */
export const earlierEnd = ({ sale, now }: Ending, wanted: Date): Date =>
  new Date(
    Math.min(sale.endsAt.getTime(), Math.max(wanted.getTime(), now.getTime() + soonestEndMs)),
  );

/**
 * The change of a live sale with a later end, where the one that the warehouse has confirmed is too near by now: the
 * sale was live until its former end, and both must have the same one.
 *
 * @returns null if its end is as it should be
 */
export function findLaterEnd({ sale, now }: Ending): PendingChange | null {
  const { pending } = sale;
  if (pending?.kind !== 'CHANGE' || pending.beforeStart) return null;
  const endsAt = new Date(pending.endsAt);
  const isKept = endsAt.getTime() === sale.endsAt.getTime();
  const isAhead = endsAt < sale.endsAt && endsAt.getTime() >= now.getTime() + commitMarginMs;
  if (isKept || isAhead) return null;
  return { ...pending, endsAt: earlierEnd({ sale, now }, endsAt).toISOString() };
}
