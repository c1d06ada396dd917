import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { RowKey } from '../row-key.js';
import { storedSaleSql } from './cart.js';
import { type CartChange, changeCart } from './change-cart.js';

/**
 * Moves the units of an order out of its customer's cart, as many as are there, and stores on the
 * order's lines how many that was. Part of the transaction that records the reservation, which
 * happens once.
 */
export async function takeFromCart(em: EntityManager, order: RowKey): Promise<void> {
  const lines = await readCartChanges(
    em,
    order,
    `-i.quantity`,
    `exists (select from cart_item c where c.customer_id = i.customer_id
      and c.offer_id = i.offer_id and c.sale_id = ${storedSaleSql('i.sale_id')})`,
  );
  if (lines.length === 0) return;
  const taken = await changeCart(em, order.customerId, 'restore', lines);
  await sqlPrepared(
    em,
    `update order_item i set from_cart = taken.units
     from shop_order s, unnest($3::uuid[], $4::uuid[], $5::int[]) as taken (offer_id, sale_id, units)
     where s.customer_id = $1 and s.order_id = $2 and i.customer_id = s.customer_id
       and i.shop_order_id = s.id and i.offer_id = taken.offer_id
       and i.sale_id is not distinct from taken.sale_id`,
    [
      order.customerId,
      order.id,
      taken.map(({ offerId }) => offerId),
      taken.map(({ saleId }) => saleId),
      taken.map(({ before, after }) => before - after),
    ],
  );
}

/** The lines of an order that meet a condition, as changes of its customer's cart. */
export const readCartChanges = (
  em: EntityManager,
  { customerId, id }: RowKey,
  quantity: string,
  condition: string,
) =>
  sqlPrepared<CartChange>(
    em,
    `select i.offer_id as "offerId", i.sale_id as "saleId", ${quantity} as quantity, i.name,
       i.unit_price_amount as "unitPriceAmount", i.currency_code as "currencyCode"
     from shop_order s
       join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
     where s.customer_id = $1 and s.order_id = $2 and ${condition}`,
    [customerId, id],
  );
