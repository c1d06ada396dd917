import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { updateListedPrices } from './listed-price.js';

const isOver = 'sale_ends_at <= now()';

/** The columns of a listing that its window decides, at its next boundary. */
const set = `
  price_amount = case when ${isOver} or sale_paused then regular_amount else sale_amount end,
  sale_due_at = case when ${isOver} then null else sale_ends_at end,
  sale_id = case when ${isOver} then null else sale_id end,
  regular_amount = case when ${isOver} then null else regular_amount end,
  sale_amount = case when ${isOver} then null else sale_amount end,
  sale_starts_at = case when ${isOver} then null else sale_starts_at end,
  sale_ends_at = case when ${isOver} then null else sale_ends_at end,
  sale_paused = sale_paused and not ${isOver},
  in_stock = regular_in_stock or (sale_in_stock and not sale_paused and not ${isOver})`;

/** SQL: whether a listing has the price of its sale, as its last boundary or event has left it. @param of the row */
export const isLive = (of: string) =>
  `coalesce(${of}.sale_due_at = ${of}.sale_ends_at and not ${of}.sale_paused, false)`;

/**
 * Lists offers at the prices of sales that have started, and at their regular ones after the end: each boundary of a
 * sale in one transaction, for all of its offers that are due, found by the index `offer_listing_sale_due`.
 *
 * @returns the number of boundaries
 */
export async function applyBoundaries(
  em: EntityManager,
  isStopping: () => boolean = () => false,
): Promise<number> {
  let applied = 0;
  while (!isStopping()) {
    const [due] = await sql<{ saleId: string }>(
      em.fork(),
      `select sale_id as "saleId" from offer_listing where sale_due_at <= now()
       order by sale_due_at limit 1`,
    );
    if (!due) break;
    await transact(em, (tx) => applyBoundary(tx, due.saleId));
    applied += 1;
  }
  return applied;
}

async function applyBoundary(tx: EntityManager, saleId: string): Promise<void> {
  const locked = await sql<{ id: string }>(
    tx,
    `select id from product where id in (
       select product_id from offer_listing where sale_due_at <= now() and sale_id = $1)
     order by id for no key update`,
    [saleId],
  );
  const productIds = locked.map(({ id }) => id);
  // Behind the locks: an event may have changed the window, and a listing may have become due.
  await sql(
    tx,
    `update offer_listing set ${set}, updated_at = now()
     where sale_due_at <= now() and sale_id = $1 and product_id = any($2::uuid[])`,
    [saleId, productIds],
  );
  await updateListedPrices(tx, productIds);
}

/** SQL for the columns of a listing that a sale decides, by the columns of a row `o` with the offer and its sale. */
export const saleColumns = {
  names: `price_amount, regular_amount, sale_id, sale_amount, sale_starts_at, sale_ends_at,
    sale_paused, sale_due_at`,
  values: `case when o.sale_starts_at <= now() and o.sale_ends_at > now() and not o.sale_paused
      then o.sale_amount else o.price_amount end,
    case when o.sale_ends_at > now() then o.price_amount end,
    case when o.sale_ends_at > now() then o.sale_id end,
    case when o.sale_ends_at > now() then o.sale_amount end,
    case when o.sale_ends_at > now() then o.sale_starts_at end,
    case when o.sale_ends_at > now() then o.sale_ends_at end,
    coalesce(o.sale_paused and o.sale_ends_at > now(), false),
    case when o.sale_ends_at > now() then
      case when o.sale_paused or o.sale_starts_at <= now() then o.sale_ends_at
        else o.sale_starts_at end end`,
  /** for `update … set` of an upsert */
  excluded: `(price_amount, regular_amount, sale_id, sale_amount, sale_starts_at, sale_ends_at,
      sale_paused, sale_due_at)
    = (excluded.price_amount, excluded.regular_amount, excluded.sale_id, excluded.sale_amount,
      excluded.sale_starts_at, excluded.sale_ends_at, excluded.sale_paused, excluded.sale_due_at)`,
  /** the sale, as `jsonb_to_recordset` reads it */
  record: `sale_id uuid, sale_amount numeric, sale_starts_at timestamptz, sale_ends_at timestamptz,
    sale_paused boolean`,
};
