import type { Shortage } from '../../contracts/reservation.js';
import type { Outcome } from './outcome.js';

/** A line for which there were too few units. */
export interface ShortLine extends Pick<Shortage, 'requested' | 'available' | 'saleShortage'> {
  readonly offerId: string;
  readonly saleId?: string | null;
}

/**
 * The outcome of a checkout with lines that are short. A sale that is over comes first, as its units never come back;
 * then one without any unit left.
 */
export function toShortOutcome(lines: readonly ShortLine[]): Outcome {
  const over = lines.find(({ saleShortage }) => saleShortage === 'OVER');
  if (over) {
    return {
      kind: 'sale-not-open',
      offerId: over.offerId,
      saleId: over.saleId as string,
      startsAt: null,
      serverTime: new Date().toISOString(),
    };
  }
  const soldOut = lines.filter((line) => line.saleShortage && line.available <= 0);
  const [first] = soldOut;
  if (first) {
    const ofSale = soldOut.filter(({ saleId }) => saleId === first.saleId);
    return {
      kind: 'sale-sold-out',
      saleId: first.saleId as string,
      offerIds: ofSale.map(({ offerId }) => offerId),
      isFinal: ofSale.every(({ saleShortage }) => saleShortage === 'SOLD_OUT'),
    };
  }
  return {
    kind: 'short',
    lines: lines.map(({ offerId, saleId, requested, available }) => {
      return { offerId, requested, available, ...(saleId && { saleId }) };
    }),
  };
}
