import type { EntityManager } from '@mikro-orm/postgresql';
import { transact } from '../../shared/database/transact.js';
import { conflict } from '../../shared/errors.js';
import type { ShopContext } from '../context.js';
import { lockOwnSale } from '../sale/require-sale.js';
import type { SaleEvent } from '../sale/sale-event.js';
import { beginPause, endPause } from '../sale/sale-pause.js';
import { announceOffers } from './announce-offers.js';

/**
 * Pauses a published sale: nothing can be bought in it, what is held stays payable, and its window stays the same.
 * Pausing it again changes nothing.
 *
 * @throws `NOT_FOUND`, `FORBIDDEN`; `CONFLICT` for a sale that is not published or is over
 */
export const pauseSale = (context: ShopContext, id: string): Promise<SaleEvent> =>
  setStatus(context, id, { from: 'PUBLISHED', to: 'PAUSED' });

/** Resumes a paused sale. @throws as `pauseSale` */
export const resumeSale = (context: ShopContext, id: string): Promise<SaleEvent> =>
  setStatus(context, id, { from: 'PAUSED', to: 'PUBLISHED' });

interface StatusChange {
  readonly from: SaleEvent['status'];
  readonly to: SaleEvent['status'];
}

function setStatus(context: ShopContext, id: string, { from, to }: StatusChange) {
  return transact(context.em, async (tx: EntityManager) => {
    const { sale, state, now } = await lockOwnSale(tx, context, id);
    if (state === 'ENDED') throw conflict('The sale is over.');
    if (sale.status === to) return sale;
    if (sale.status !== from) throw conflict(`The sale is ${state}. It must be published first.`);
    await (to === 'PAUSED' ? beginPause(tx, id, now) : endPause(tx, id, now));
    sale.status = to;
    await tx.flush();
    await announceOffers(tx, id);
    return sale;
  });
}
