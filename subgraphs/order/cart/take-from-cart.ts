import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import { type CartChange, changeCart } from './change-cart.js';

interface OrderedLine extends CartChange {
  readonly customerId: string;
}

/**
 * Moves the units of an order out of its customer's cart, as many as are there, and stores on the
 * order's lines how many that was. Part of the transaction that records the reservation, which
 * happens once.
 */
export async function takeFromCart(em: EntityManager, orderId: string): Promise<void> {
  const lines = await readCartChanges(
    em,
    orderId,
    `-i.quantity`,
    `exists (select from cart_item c where c.cart_id = o.customer_id and c.offer_id = i.offer_id)`,
  );
  if (!lines[0]) return;
  const taken = await changeCart(em, lines[0].customerId, 'restore', lines);
  await sqlPrepared(
    em,
    `update order_item i set from_cart = taken.units
     from shop_order s, unnest($2::uuid[], $3::int[]) as taken (offer_id, units)
     where s.order_id = $1 and i.shop_order_id = s.id and i.offer_id = taken.offer_id`,
    [
      orderId,
      taken.map(({ offerId }) => offerId),
      taken.map(({ before, after }) => before - after),
    ],
  );
}

/** The lines of an order that meet a condition, as changes of its customer's cart. */
export const readCartChanges = (
  em: EntityManager,
  orderId: string,
  quantity: string,
  condition: string,
) =>
  sqlPrepared<OrderedLine>(
    em,
    `select o.customer_id as "customerId", i.offer_id as "offerId", ${quantity} as quantity, i.name,
       i.unit_price_amount as "unitPriceAmount", i.currency_code as "currencyCode"
     from customer_order o join shop_order s on s.order_id = o.id
       join order_item i on i.shop_order_id = s.id
     where o.id = $1 and ${condition}`,
    [orderId],
  );
