import { sql } from '../../shared/database/sql.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import type { OrderContext } from '../context.js';

const intMax = 2_147_483_647;

/**
 * Units of offers in other customers' carts, for all offers of a request in one statement: the
 * counters that `changeCart` keeps, minus the units in the caller's own cart.
 */
export const loadInOtherCarts: BatchLoad<string, number, OrderContext> = async (
  offerIds,
  { em, identity },
) => {
  const rows = await sql<{ offerId: string; units: number }>(
    em,
    `select c.offer_id as "offerId",
       greatest(0, least(sum(c.units) - coalesce(max(own.quantity), 0), ${intMax}))::int as units
     from units_in_carts c left join (
       select i.offer_id, sum(i.quantity) as quantity
       from cart k join cart_item i on i.customer_id = k.customer_id
       where k.customer_id = $2 and k.counted group by i.offer_id) own on own.offer_id = c.offer_id
     where c.offer_id = any($1::uuid[]) group by c.offer_id`,
    [offerIds, identity?.id ?? null],
  );
  const byOffer = new Map(rows.map(({ offerId, units }) => [offerId, units]));
  return offerIds.map((id) => byOffer.get(id) ?? 0);
};
