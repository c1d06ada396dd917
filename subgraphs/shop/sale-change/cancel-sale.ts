import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { conflict } from '../../shared/errors.js';
import type { ShopContext } from '../context.js';
import { lockOwnSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { endPause } from '../sale/sale-pause.js';
import { announceOffers, releaseOffers } from './announce-offers.js';
import { beginChange, readShopIds } from './begin-change.js';

/**
 * Cancels a sale: nothing can be bought in it from this commit on, and its offers have their regular prices. What is
 * held stays payable, and orders stay valid. The units that are set aside are freed by the warehouse. Cancelling it
 * again changes nothing.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for a sale that is over
 */
export function cancelSale(context: ShopContext, id: string): Promise<SaleEvent> {
  return transact(context.em, async (tx: EntityManager) => {
    const { sale, state, now } = await lockOwnSale(tx, context, id);
    if (sale.status === 'CANCELLED') return sale;
    if (state === 'ENDED') throw conflict('The sale is over.');
    const hasUnits = sale.status !== 'DRAFT';
    await endPause(tx, id, now);
    Object.assign(sale, { status: 'CANCELLED', cancelledAt: now });
    await tx.flush();
    if (!hasUnits) return sale;
    await announceOffers(tx, id, await releaseOffers(tx, id, { keep: 'none' }));
    return beginChange(tx, sale, { kind: 'CANCEL', shopIds: await readShopIds(tx, id) });
  });
}
