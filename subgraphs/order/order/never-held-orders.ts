import type { KeptFor } from '../../shared/database/retention.js';

/**
 * Orders that ended before their stock was held are deleted with all their rows, in the order of the foreign keys;
 * the trigger of the history allows it for these orders only. Such an order cannot be paid: one that has a payment
 * all the same is kept, and `verify` reports it. `offset 0` keeps the look-up of its payment from becoming a join, for
 * which PostgreSQL would read all payments.
 */
export const neverHeldRetention: KeptFor = {
  keptFor: '7 days',
  since: 'created_at',
  where: `number is null and status = 'CANCELLED'
    and not exists (select from payment p
      where p.customer_id = customer_order.customer_id and p.order_id = customer_order.id offset 0)`,
  index: 'customer_order_never_held',
  owned: {
    by: ['customer_id', 'id'],
    deletions: [
      (lowestId) => `delete from order_event e using owner o
       where e.customer_id = o.customer_id and e.order_id = o.id and e.id >= '${lowestId}'`,
      `delete from order_item i using owner o join shop_order s
         on s.customer_id = o.customer_id and s.order_id = o.id
       where i.customer_id = s.customer_id and i.shop_order_id = s.id`,
      `delete from shop_order s using owner o
       where s.customer_id = o.customer_id and s.order_id = o.id`,
    ],
    // An order has up to 203 rows: itself, 100 lines in 100 shop orders, and two events.
    ownersMax: 100,
  },
};
