import { conflict } from '../../shared/errors.js';
import type { LockedSale } from '../sale/require-sale.js';

/** How long before its start a sale is fixed. */
const fixedMs = 600_000;

/** What may change of a published sale: until 10 minutes before its start all, then nothing, then little. */
export type ChangePhase = 'BEFORE' | 'LIVE';

/** @throws `CONFLICT` in the 10 minutes before the start of a sale, and for one that is over or cancelled */
export function requirePhase({ sale, state, now }: LockedSale): ChangePhase {
  if (state === 'CANCELLED') throw conflict('The sale was cancelled. Create another one.');
  if (state === 'ENDED') throw conflict('The sale is over. Create another one.');
  if (now >= sale.startsAt) return 'LIVE';
  if (now.getTime() < sale.startsAt.getTime() - fixedMs) return 'BEFORE';
  throw conflict('A sale cannot be changed in the 10 minutes before its start.');
}
