import { conflict } from '../../shared/errors.js';
import type { LockedSale } from '../sale/require-sale.js';

/** How long before its start a sale is fixed. */
const fixedMs = 600_000;

/** What may change of a published sale: until 10 minutes before its start all, then nothing, then little. */
export type ChangePhase = 'BEFORE' | 'LIVE';

/** @throws `CONFLICT` for a sale that is over or cancelled */
export function requireNotOver({ state }: Pick<LockedSale, 'state'>): void {
  if (state === 'CANCELLED') throw conflict('The sale was cancelled. Create another one.');
  if (state === 'ENDED') throw conflict('The sale is over. Create another one.');
}

/** Whether a time is before the 10 minutes in which a sale is fixed. */
export const isBeforePhase = (startsAt: Date, now: Date): boolean =>
  now.getTime() < startsAt.getTime() - fixedMs;

/** @throws `CONFLICT` in the 10 minutes before the start of a sale, and for one that is over or cancelled */
export function requirePhase(locked: LockedSale): ChangePhase {
  requireNotOver(locked);
  const { sale, now } = locked;
  if (now >= sale.startsAt) return 'LIVE';
  if (isBeforePhase(sale.startsAt, now)) return 'BEFORE';
  throw conflict('A sale cannot be changed in the 10 minutes before its start.');
}
