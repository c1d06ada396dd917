import type { Ledger } from './ledger.js';
import type { StockLevel } from './stock-level.js';

export interface Correction {
  readonly delta: number;
  /** unavailable units among those that are removed; by default none */
  readonly gone?: number;
  readonly reference?: string | null;
  readonly reason: string;
  readonly actor: string;
  /** when the units were counted; by default now */
  readonly occurredAt?: Date;
}

/**
 * Changes the units on hand by a count or a correction. It may go below the units that are promised,
 * which raises the shortfall. Unavailable units beyond those on hand are gone too.
 */
export function correctOnHand(ledger: Ledger, level: StockLevel, correction: Correction): void {
  const { delta, gone: removed = 0, ...about } = correction;
  if (delta === 0) return;
  const gone = Math.max(removed, level.unavailable - (level.onHand + delta));
  ledger.move(
    level,
    { ...about, type: 'ADJUSTMENT', onHandDelta: delta },
    ...(gone > 0 ? [{ ...about, type: 'UNAVAILABLE', unavailableDelta: -gone } as const] : []),
  );
}
