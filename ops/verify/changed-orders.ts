import { madeIn, type Period } from './invariant.js';

/*
 * SQL for the keys, (customer_id, id), of what may have changed since: every change of an order, of its payments,
 * refunds and disputes writes an event of the order in the same commit.
 */

export const ordersSince = (period: Period) => `select customer_id, order_id as id from order_event
    where ${madeIn(period, 'id')} union select customer_id, id from customer_order where ${madeIn(period, 'id')}`;

export const shopOrdersSince = (period: Period) =>
  `select customer_id, id from shop_order where (customer_id, order_id) in (${ordersSince(period)})`;

export const itemsSince = (period: Period) => `select customer_id, id from order_item
    where (customer_id, shop_order_id) in (${shopOrdersSince(period)})`;

export const paymentsSince = (period: Period) =>
  `select customer_id, id from payment where (customer_id, order_id) in (${ordersSince(period)})`;

export const refundsSince = (period: Period) =>
  `select customer_id, id from refund where (customer_id, payment_id) in (${paymentsSince(period)})`;
