import { notOpenOf } from '../cart/sale-not-open.js';
import type { ReadOffers } from '../shop-client/offers-for-sale.js';
import type { OrderLine } from './new-order.js';
import type { Outcome } from './outcome.js';

/**
 * Why lines cannot be bought as they say: in a sale that is not the offer's, or not LIVE, or at the regular price of an
 * offer that is sold in its sale only. By the clock of shop's primary, which decided it when it was asked for the
 * offers.
 */
export function findSaleRefusal(lines: readonly OrderLine[]): Outcome | null {
  for (const { offer, saleId } of lines) {
    const isOpen = !saleId || (offer.sale?.id === saleId && offer.sale.state === 'LIVE');
    if (!isOpen) return { kind: 'sale-not-open', ...notOpenOf(offer, saleId) };
  }
  const offers = lines.flatMap(({ offer: { id, sale }, saleId }) => {
    const isInSaleOnly = !saleId && sale?.state === 'LIVE' && sale.whenSoldOut === 'SOLD_OUT';
    return isInSaleOnly ? [{ offerId: id, saleId: sale.id }] : [];
  });
  return offers.length > 0 ? { kind: 'sale-only', offers } : null;
}

/** A line of an order that is placed. */
interface PlacedIn {
  readonly offerId: string;
  /** null for regular units */
  readonly saleId: string | null;
}

/** Whether a sale of the lines of an order is paused now. @throws `TRY_AGAIN` */
export async function isPaused(
  { readOffers }: { readonly readOffers: ReadOffers },
  lines: readonly PlacedIn[],
): Promise<boolean> {
  const inSales = lines.filter(({ saleId }) => saleId !== null);
  const offers = await readOffers(inSales.map(({ offerId }) => offerId));
  return inSales.some(({ offerId, saleId }) => {
    const sale = offers.get(offerId)?.sale;
    return sale?.id === saleId && sale.state === 'PAUSED';
  });
}

/** How long the stock of an order is held, where a sale makes that shorter than the setting; else null. */
export function saleHoldMs(lines: readonly OrderLine[], reserveForMs: number): number | null {
  const minutes = lines.flatMap(({ offer, saleId }) => (saleId && offer.sale?.holdMinutes) || []);
  const shortestMs = Math.min(...minutes) * 60_000;
  return shortestMs < reserveForMs ? Math.round(shortestMs) : null;
}
