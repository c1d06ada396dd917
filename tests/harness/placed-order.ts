import { seedId } from '../../dev/seed/ids.js';
import { newId } from '../../subgraphs/shared/ids.js';

const offer = seedId('offer', 0);
export const refunded = newId();

/** SQL for an order of 2 units, and a cart. @param shopId the shop of its one part */
export const placed = (order: string, shopId = order) => [
  `insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address, number)
       values ('${order}', '${order}', 20, 'USD', '{}', 'H00000001')`,
  `insert into numbered_order (number, customer_id, order_id)
       values ('H00000001', '${order}', '${order}')`,
  `insert into shop_order (customer_id, id, order_id, shop_id)
       values ('${order}', '${order}', '${order}', '${shopId}')`,
  `insert into order_item
         (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
       values ('${order}', '${order}', '${order}', '${offer}', 'S', 'S', 10, 'USD', 2)`,
  `insert into purchase (customer_id, shop_id, sku, units)
       select customer_id, '${shopId}', 'S', 2 from customer_order`,
  `insert into customer_hold (customer_id, open_orders, open_units)
       values ('${order}', 1, '{"${offer}": 2}')`,
  `insert into cart (customer_id, shard, counted) values ('${order}', 0, true)`,
  `insert into cart_item (customer_id, offer_id, id, name, unit_price_amount, currency_code, quantity)
       values ('${order}', '${offer}', '${order}', 'S', 10, 'USD', 1)`,
  `insert into units_in_carts (offer_id, shard, units) values ('${offer}', 0, 1)`,
];

/** A refund of units of the line, which has 2 at 10.00. */
export function refundOfLines(amount: string, quantity: number): string[] {
  return [
    `insert into payment (id, order_id, customer_id, amount, status, provider)
     select '${refunded}', id, customer_id, 20, 'COMPLETED', 'sandbox' from customer_order`,
    `with made as (
       insert into refund (customer_id, id, payment_id, shop_order_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', id, ${amount}, 'BY_SHOP' from shop_order returning id
     )
     insert into refund_line (customer_id, refund_id, order_item_id, quantity)
     select i.customer_id, made.id, i.id, ${quantity} from made, order_item i`,
  ];
}
