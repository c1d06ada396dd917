import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { badInput, conflict } from '../../shared/errors.js';
import type { ShopContext } from '../context.js';
import { lockOwnSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { beginChange, claimOffers } from './begin-change.js';
import { readLines } from './sale-lines.js';

/**
 * Begins the publication of a draft: its offers are locked, checked and given to it. Publishing again changes nothing.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`; `BAD_USER_INPUT` for a sale that is over; `CONFLICT` for a cancelled one, one
 *   without offers, and for offers that cannot be in it
 */
export function publishSale(context: ShopContext, id: string): Promise<SaleEvent> {
  return transact(context.em, async (tx: EntityManager) => {
    const { sale, now } = await lockOwnSale(tx, context, id);
    if (sale.status === 'CANCELLED') throw conflict('The sale was cancelled. Create another one.');
    if (sale.status !== 'DRAFT') return sale;
    if (sale.endsAt <= now) throw badInput({ id: 'the end of the sale must be in the future' });
    const lines = await readLines(tx, id);
    // Shops may join a platform event after it is published.
    if (lines.length === 0 && sale.shopId !== null)
      throw conflict('The sale has no offers. Add some first.');
    const offers = await claimOffers(tx, id, lines);
    const shopIds = [...new Set([...offers.values()].map(({ shopId }) => shopId))];
    sale.status = 'PUBLISHING';
    return beginChange(tx, sale, { kind: 'PUBLISH', shopIds });
  });
}
