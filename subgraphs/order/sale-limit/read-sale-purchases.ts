import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';

interface OfferInSale {
  readonly offerId: string;
  readonly saleId: string;
}

/** The units that a customer holds or has paid for of offers in sales, in the order of the keys. By the primary key. */
export async function readSalePurchases(
  em: EntityManager,
  customerId: string,
  keys: readonly OfferInSale[],
): Promise<number[]> {
  if (keys.length === 0) return [];
  const rows = await sqlPrepared<OfferInSale & { units: number }>(
    em,
    `select offer_id as "offerId", sale_id as "saleId", units from sale_purchase
     where customer_id = $1 and (sale_id, offer_id) in (select * from unnest($2::uuid[], $3::uuid[]))`,
    [customerId, keys.map(({ saleId }) => saleId), keys.map(({ offerId }) => offerId)],
  );
  const nameOf = ({ offerId, saleId }: OfferInSale) => `${offerId} ${saleId}`;
  const units = new Map(rows.map((row) => [nameOf(row), row.units]));
  return keys.map((key) => units.get(nameOf(key)) ?? 0);
}
