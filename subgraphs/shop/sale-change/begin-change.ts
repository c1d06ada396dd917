import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { conflict, tryAgain } from '../../shared/errors.js';
import type { PendingChange, SaleLine } from '../sale/pending-change.js';
import { SaleEvent } from '../sale/sale-event.js';
import { findPriceProblem, type OfferOfLine, readOffersOfLines } from './sale-lines.js';

/** How long the request that began a change has to complete it, before a worker takes it over. */
const requestSeconds = 10;

/** @throws `TRY_AGAIN` while another change of the sale waits for the warehouse */
export function requireNoChange({ step }: Pick<SaleEvent, 'step'>): void {
  if (step !== null)
    throw tryAgain('Another change of the sale is being completed. Try again in a moment.');
}

/** The shops that were requested to set units aside for a sale. */
export async function readShopIds(tx: EntityManager, saleId: string): Promise<string[]> {
  const rows = await sql<{ shopId: string }>(
    tx,
    'select shop_id as "shopId" from sale_shop where sale_id = $1',
    [saleId],
  );
  return rows.map(({ shopId }) => shopId);
}

/**
 * Stores a change that the warehouse has to confirm, under a new revision. The sale must be locked; a change that waits
 * is replaced.
 */
export async function beginChange(
  tx: EntityManager,
  sale: SaleEvent,
  pending: PendingChange,
): Promise<SaleEvent> {
  await tx.flush();
  await sql(
    tx,
    `insert into sale_shop (sale_id, shop_id)
     select $1, shop_id from unnest($2::uuid[]) as shop_id on conflict do nothing`,
    [sale.id, pending.shopIds],
  );
  await sql(
    tx,
    `update sale_event set pending = $2, step = 'ALLOCATE', revision = revision + 1,
       change_began_at = now(), attempts = 0,
       next_attempt_at = now() + interval '${requestSeconds} s', updated_at = now()
     where id = $1`,
    [sale.id, JSON.stringify(pending)],
  );
  return tx.findOneOrFail(SaleEvent, sale.id, { refresh: true });
}

/**
 * Locks the offers of the lines and gives them to the sale: from then on no other sale can have them.
 *
 * @returns the offers by id
 * @throws `CONFLICT` for an offer that cannot be bought, whose regular price is lower, or that another sale has
 */
export async function claimOffers(
  tx: EntityManager,
  saleId: string,
  lines: readonly SaleLine[],
): Promise<Map<string, OfferOfLine>> {
  const offerIds = lines.map(({ offerId }) => offerId);
  await sql(tx, 'select from offer where id = any($1::uuid[]) order by id for no key update', [
    offerIds,
  ]);
  // A statement of its own: what the locks waited for is visible to it.
  const offers = await readOffersOfLines(tx, saleId, offerIds);
  for (const { offerId, priceAmount } of lines) {
    const offer = offers.get(offerId);
    if (!offer?.active) throw conflict(inactiveMessage(offer?.sku ?? offerId));
    if (offer.otherSale)
      throw conflict(`${offer.sku} is in the sale “${offer.otherSale}”. Take it out of one.`);
    const problem = findPriceProblem(offer, priceAmount);
    if (problem) throw conflict(`The price of ${offer.sku} ${problem}.`);
  }
  await sql(
    tx,
    'update offer set sale_id = $1 where id = any($2::uuid[]) and sale_id is distinct from $1',
    [saleId, offerIds],
  );
  return offers;
}

export const inactiveMessage = (sku: string): string => `${sku} cannot be bought. Take it out.`;
