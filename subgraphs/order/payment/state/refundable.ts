import { isLiveRefund } from './status.js';

const liveRefunds = (payment: string) => `(select coalesce(sum(amount), 0) from refund
  where customer_id = ${payment}.customer_id and payment_id = ${payment}.id
    and ${isLiveRefund('status')})`;

/**
 * SQL for what can still be refunded of a payment: what was neither refunded nor lost in a dispute.
 *
 * @param payment the alias of a row of `payment`
 */
export const refundableSql = (payment: string) => `(${payment}.amount - ${liveRefunds(payment)}
  - (select coalesce(sum(amount), 0) from dispute
     where customer_id = ${payment}.customer_id and payment_id = ${payment}.id
       and status = 'LOST'))`;

/**
 * SQL for what can still be requested of a shop order: its price, without what was refunded or set against a
 * dispute. What a person refunded at the provider counts for the payment only.
 *
 * @param shopOrder the alias of a row of `shop_order`
 */
export const requestableOfShopOrderSql = (shopOrder: string) => `(
  (select coalesce(sum(unit_price_amount * quantity), 0) from order_item
   where customer_id = ${shopOrder}.customer_id and shop_order_id = ${shopOrder}.id)
  - (select coalesce(sum(covered_by_dispute + case when ${isLiveRefund('status')} then amount else 0 end), 0)
     from refund where customer_id = ${shopOrder}.customer_id
       and shop_order_id = ${shopOrder}.id))`;

/**
 * SQL for what can still be requested of a payment: what was neither refunded nor set against a dispute. Then
 * what the customer has by a dispute is set against the request (cover-refunds.ts).
 *
 * @param payment the alias of a row of `payment`
 */
export const requestableSql = (payment: string) => `(${payment}.amount - ${liveRefunds(payment)}
  - (select coalesce(sum(covered_by_dispute), 0) from refund
     where customer_id = ${payment}.customer_id and payment_id = ${payment}.id))`;
