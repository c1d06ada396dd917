import { enumOf } from '../../shared/graphql/enum-of.js';

export const OrderStatus = enumOf('OrderStatus', 'Status of an order or a shop order.', {
  PENDING: 'Not paid yet; the stock is reserved or about to be.',
  CONFIRMED: 'Paid.',
  SHIPPED: 'Handed to the carrier.',
  DELIVERED: 'Delivered to the customer.',
  CANCELLED: 'Cancelled; `cancelReason` of the order says why.',
});
export type OrderStatus = keyof typeof OrderStatus;

export const CancelReason = enumOf('CancelReason', 'Why an order was cancelled.', {
  OUT_OF_STOCK: 'There was not enough stock.',
  PAYMENT_TIMEOUT: 'The payment window expired.',
  PAYMENT_FAILED: 'The payment failed.',
  BY_CUSTOMER: 'The customer or an admin cancelled it.',
  BY_SHOP: 'The shop cancelled it.',
  ABANDONED: 'The checkout stopped half-way and was not retried.',
});
export type CancelReason = keyof typeof CancelReason;

export const sqlList = (values: object) =>
  Object.keys(values)
    .map((value) => `'${value}'`)
    .join(', ');

const inOrder: readonly OrderStatus[] = ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED'];

/**
 * How far an order is, from how far its parts are: cancelled once all of them are, otherwise as the
 * least advanced of those that are not.
 */
export function orderStatusOf(shopOrders: readonly OrderStatus[]): OrderStatus {
  return inOrder.find((status) => shopOrders.includes(status)) ?? 'CANCELLED';
}
