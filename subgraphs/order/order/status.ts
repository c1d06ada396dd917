import { enumOf } from '../../shared/graphql/enum-of.js';
import type { Transitions } from '../state-machine.js';

export const OrderStatus = enumOf('OrderStatus', 'Status of an order or a shop order.', {
  PENDING: 'Not paid yet; the stock is reserved.',
  CONFIRMED: 'Paid.',
  SHIPPED: 'Handed to the carrier.',
  DELIVERED: 'Delivered to the customer.',
  CANCELLED: 'Cancelled; `cancelReason` of the order says why.',
});
export type OrderStatus = keyof typeof OrderStatus;

/** A shop order leaves `PENDING` together with its order; later it changes by itself. */
export const shopOrderTransitions: Transitions<OrderStatus> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['SHIPPED', 'CANCELLED'],
  SHIPPED: ['DELIVERED'],
  DELIVERED: [],
  CANCELLED: [],
};

/**
 * From `CONFIRMED` on, the status follows from the shop orders (`orderStatusOf`). `DELIVERED` from
 * `CONFIRMED`: the last shop order that is not delivered is cancelled.
 */
export const orderTransitions: Transitions<OrderStatus> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['SHIPPED', 'DELIVERED', 'CANCELLED'],
  SHIPPED: ['DELIVERED'],
  DELIVERED: [],
  CANCELLED: [],
};

export const CancelReason = enumOf('CancelReason', 'Why an order was cancelled.', {
  OUT_OF_STOCK: 'Units were found missing before the payment was captured.',
  PAYMENT_TIMEOUT: 'The payment window expired.',
  PAYMENT_FAILED: 'The payment failed.',
  BY_CUSTOMER: 'The customer or an admin cancelled it.',
  BY_SHOP: 'The shop cancelled it.',
  ABANDONED: 'The checkout was cancelled as abandoned while it went on.',
});
export type CancelReason = keyof typeof CancelReason;

const inOrder: readonly OrderStatus[] = ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED'];

/**
 * The status of an order, derived from its shop orders: cancelled once all of them are, otherwise
 * that of the least advanced shop order that is not cancelled.
 */
export function orderStatusOf(shopOrders: readonly OrderStatus[]): OrderStatus {
  return inOrder.find((status) => shopOrders.includes(status)) ?? 'CANCELLED';
}
