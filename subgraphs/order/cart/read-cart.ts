import type { EntityManager } from '@mikro-orm/postgresql';
import { noSale } from '../../contracts/sale.js';
import { sql } from '../../shared/database/sql.js';
import type { BatchLoad } from '../../shared/graphql/context.js';
import type { OrderContext } from '../context.js';
import { Cart, type CartLine } from './cart.js';

/** The cart of a customer. Who never used theirs has an empty one. */
export async function readCart(em: EntityManager, customerId: string): Promise<Cart> {
  const rows = await sql<{ updatedAt: string }>(
    em,
    'select updated_at as "updatedAt" from cart where customer_id = $1',
    [customerId],
  );
  const updatedAt = new Date(rows[0]?.updatedAt ?? Date.now());
  return Object.assign(new Cart(), { customerId, updatedAt });
}

/** The lines of a cart, in the order in which they were added. */
export function readCartLines(em: EntityManager, customerId: string): Promise<CartLine[]> {
  return sql<CartLine>(em, `select ${columns} from cart_item where customer_id = $1 order by id`, [
    customerId,
  ]);
}

const columns = `id, offer_id as "offerId", nullif(sale_id, '${noSale}') as "saleId", name, unit_price_amount as "unitPriceAmount",
  currency_code as "currencyCode", quantity`;

/** The lines of customers’ carts, in one statement. */
export const loadCartLines: BatchLoad<string, CartLine[], OrderContext> = async (ids, { em }) => {
  const rows = await sql<CartLine & { customerId: string }>(
    em,
    `select customer_id as "customerId", ${columns} from cart_item where customer_id = any($1::uuid[])
     order by id`,
    [ids],
  );
  const byCart = Map.groupBy(rows, ({ customerId }) => customerId);
  return ids.map((id) => byCart.get(id) ?? []);
};
