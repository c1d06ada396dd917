import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { conflict } from '../../shared/errors.js';
import { hasOffersSql, isoSql } from './sale-sql.js';

interface SaleOfOffer {
  readonly name: string;
  readonly priceAmount: string;
  readonly endsAt: string;
}

/**
 * The sale of an offer whose row is locked: one that is being published, or is published and has not ended, or that is
 * about to get the offer. An offer that never was in a sale costs no statement.
 */
export async function findSaleOfOffer(
  tx: EntityManager,
  { id, saleId }: { readonly id: string; readonly saleId: string | null },
): Promise<SaleOfOffer | null> {
  if (saleId === null) return null;
  const [sale] = await sql<SaleOfOffer>(
    tx,
    `select e.name, greatest(s.price_amount, pending.price_amount) as "priceAmount",
       ${isoSql('e.ends_at')} as "endsAt"
     from sale_event e left join sale_offer s on s.sale_id = e.id and s.offer_id = $2::uuid
       left join lateral (
         select (line->>'priceAmount')::numeric as price_amount
         from jsonb_array_elements(
           case jsonb_typeof(e.pending->'lines') when 'array' then e.pending->'lines' end) as line
         where line->>'offerId' = $2::text) as pending on true
     where e.id = $1 and ${hasOffersSql('e')}
       and (s.offer_id is not null or pending.price_amount is not null)`,
    [saleId, id],
  );
  return sale ?? null;
}

export const inSale = ({ name, endsAt }: SaleOfOffer) =>
  conflict(
    `The offer is in the sale “${name}” until ${endsAt}. Take it out of the sale, or cancel the sale first.`,
  );
