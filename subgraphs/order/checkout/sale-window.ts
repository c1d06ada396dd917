import { notOpenOf } from '../cart/sale-not-open.js';
import type { SaleReads } from '../sale/read-sales.js';
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

/** Whether one of the sales is cancelled or paused, or was paused when it ended. @throws `TRY_AGAIN` */
export async function isStopped(
  { saleReads }: { readonly saleReads: Pick<SaleReads, 'sales'> },
  saleIds: readonly string[],
): Promise<boolean> {
  const sales = await saleReads.sales(saleIds);
  return [...sales.values()].some(({ isPaused, state }) => isPaused || state === 'CANCELLED');
}

/** How long the stock of an order is held, where a sale makes that shorter than the setting; else null. */
export function saleHoldMs(lines: readonly OrderLine[], reserveForMs: number): number | null {
  const minutes = lines.flatMap(({ offer, saleId }) => (saleId && offer.sale?.holdMinutes) || []);
  const shortestMs = Math.min(...minutes) * 60_000;
  return shortestMs < reserveForMs ? Math.round(shortestMs) : null;
}
