import type { EntityManager } from '@mikro-orm/postgresql';
import Big from 'big.js';
import { findAmountProblem } from '../../shared/currencies.js';
import { sql } from '../../shared/database/sql.js';
import { amountText } from '../../shared/money.js';
import type { LineChanges, SaleLine } from '../sale/pending-change.js';
import { hasOffersSql } from '../sale-window/sale-sql.js';

/** An offer that is in a sale or is to be. */
export interface OfferOfLine {
  readonly id: string;
  readonly shopId: string;
  readonly ownerId: string;
  readonly sku: string;
  readonly priceAmount: string;
  readonly currencyCode: string;
  readonly active: boolean;
  readonly isRemoved: boolean;
  /** another sale that has it, if it is being published, or is published and has not ended */
  readonly otherSale: string | null;
}

/** Offers by id, with the names of the other sales that have them. */
export async function readOffersOfLines(
  tx: EntityManager,
  saleId: string,
  offerIds: readonly string[],
): Promise<Map<string, OfferOfLine>> {
  const rows = await sql<OfferOfLine>(
    tx,
    `select o.id, o.shop_id as "shopId", shop.owner_id as "ownerId", o.sku,
       o.price_amount as "priceAmount", o.currency_code as "currencyCode", o.active,
       o.removed_at is not null as "isRemoved", e.name as "otherSale"
     from offer o join shop on shop.id = o.shop_id
       left join sale_event e on e.id = o.sale_id and e.id <> $2 and ${hasOffersSql('e')}
     where o.id = any($1::uuid[])`,
    [offerIds, saleId],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** The lines that a sale has. */
export function readLines(tx: EntityManager, saleId: string): Promise<SaleLine[]> {
  return sql<SaleLine>(
    tx,
    `select offer_id as "offerId", price_amount as "priceAmount", allocation,
       limit_per_customer as "limitPerCustomer", when_sold_out as "whenSoldOut"
     from sale_offer where sale_id = $1 order by offer_id`,
    [saleId],
  );
}

/** The ids of offers that have another price in these lines than in the sale, or are not in it. */
export async function findRepriced(
  tx: EntityManager,
  saleId: string,
  lines: readonly SaleLine[],
): Promise<string[]> {
  const rows = await sql<{ id: string }>(
    tx,
    `select line."offerId" as id
     from jsonb_to_recordset($2) as line ("offerId" uuid, "priceAmount" numeric)
       left join sale_offer s on s.sale_id = $1 and s.offer_id = line."offerId"
     where s.price_amount is distinct from line."priceAmount"`,
    [saleId, JSON.stringify(lines)],
  );
  return rows.map(({ id }) => id);
}

/** Changes the lines of a sale. */
export async function writeLines(
  tx: EntityManager,
  saleId: string,
  { lines, removed }: LineChanges,
): Promise<void> {
  await sql(tx, 'delete from sale_offer where sale_id = $1 and offer_id = any($2::uuid[])', [
    saleId,
    removed,
  ]);
  await sql(
    tx,
    `insert into sale_offer
       (sale_id, offer_id, price_amount, allocation, limit_per_customer, when_sold_out)
     select $1, "offerId", "priceAmount", allocation, "limitPerCustomer", "whenSoldOut"
     from jsonb_to_recordset($2) as line ("offerId" uuid, "priceAmount" numeric, allocation int,
       "limitPerCustomer" int, "whenSoldOut" text)
     on conflict (sale_id, offer_id) do update set
       (price_amount, allocation, limit_per_customer, when_sold_out) = (excluded.price_amount,
         excluded.allocation, excluded.limit_per_customer, excluded.when_sold_out)`,
    [saleId, JSON.stringify(lines)],
  );
}

/** @returns why an offer cannot be sold at the price of a sale; null if it can */
export function findPriceProblem(offer: OfferOfLine, priceAmount: string): string | null {
  const { priceAmount: regular, currencyCode } = offer;
  const problem = findAmountProblem(priceAmount, currencyCode);
  if (problem) return problem;
  if (new Big(priceAmount).lte(regular)) return null;
  return `must not be above the regular price, ${amountText(regular, currencyCode)}`;
}

/** Whether two lines have the same terms. */
export const isSameLine = (a: SaleLine, b: SaleLine): boolean =>
  hasSameTerms(a, b) && a.allocation === b.allocation;

/** Whether two lines have the same terms but for the allocation. */
export const hasSameTerms = (a: SaleLine, b: SaleLine): boolean =>
  new Big(a.priceAmount).eq(b.priceAmount) &&
  a.limitPerCustomer === b.limitPerCustomer &&
  a.whenSoldOut === b.whenSoldOut;
