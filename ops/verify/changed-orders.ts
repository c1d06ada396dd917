import type { Moment } from './invariant.js';

/*
 * SQL for the keys, (customer_id, id), of what may have changed since: every change of an order, of its payments,
 * refunds and disputes writes an event of the order in the same commit.
 */

export const ordersSince = ({ id }: Moment) => `select customer_id, order_id as id from order_event
    where id >= '${id}' union select customer_id, id from customer_order where id >= '${id}'`;

export const shopOrdersSince = (since: Moment) =>
  `select customer_id, id from shop_order where (customer_id, order_id) in (${ordersSince(since)})`;

export const itemsSince = (since: Moment) => `select customer_id, id from order_item
    where (customer_id, shop_order_id) in (${shopOrdersSince(since)})`;

export const paymentsSince = (since: Moment) =>
  `select customer_id, id from payment where (customer_id, order_id) in (${ordersSince(since)})`;

export const refundsSince = (since: Moment) =>
  `select customer_id, id from refund where (customer_id, payment_id) in (${paymentsSince(since)})`;
