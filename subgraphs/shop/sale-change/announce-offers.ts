import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { enqueueOfferChanged } from '../offer/offer-changed.js';
import { type OfferRow, offerColumns } from '../offer/read-offers.js';

/**
 * Enqueues the state of offers for the product subgraph. Locks them in the order of their ids.
 *
 * @param saleId all offers that this sale has; null: none but the others
 */
export async function announceOffers(
  tx: EntityManager,
  saleId: string | null,
  otherIds: readonly string[] = [],
): Promise<void> {
  const offers = await sql<OfferRow>(
    tx,
    `with changed as (
       select id from offer where sale_id = $1 or id = any($2::uuid[]) order by id for no key update)
     update offer set version = version + 1, updated_at = now()
     where id in (select id from changed) returning ${offerColumns}`,
    [saleId, otherIds],
  );
  await enqueueOfferChanged(tx, offers);
}

/**
 * Gives back the offers of a sale that is not to have them, in the order of their ids.
 *
 * @param keep whether those that have a line in the sale stay in it
 * @returns their ids
 */
export async function releaseOffers(
  tx: EntityManager,
  saleId: string,
  { keep }: { readonly keep: 'lines' | 'none' },
): Promise<string[]> {
  const withoutLine = `and not exists (
    select from sale_offer s where s.sale_id = $1 and s.offer_id = offer.id)`;
  const released = await sql<{ id: string }>(
    tx,
    `with released as (
       select id from offer where sale_id = $1 ${keep === 'lines' ? withoutLine : ''}
       order by id for no key update)
     update offer set sale_id = null where id in (select id from released) returning id`,
    [saleId],
  );
  return released.map(({ id }) => id);
}
