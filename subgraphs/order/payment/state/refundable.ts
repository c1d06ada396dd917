import { isLiveRefund } from './status.js';

/**
 * SQL for what can still be refunded of a payment: what was neither refunded nor lost in a dispute.
 *
 * @param payment the alias of a row of `payment`
 */
export const refundableSql = (payment: string) => `(${payment}.amount
  - (select coalesce(sum(amount), 0) from refund
     where payment_id = ${payment}.id and ${isLiveRefund('status')})
  - (select coalesce(sum(amount), 0) from dispute
     where payment_id = ${payment}.id and status = 'LOST'))`;
