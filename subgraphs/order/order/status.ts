import { registerEnumType } from 'type-graphql';
import type { Transitions } from '../state-machine.js';

export const OrderStatus = {
  PENDING: 'PENDING',
  CONFIRMED: 'CONFIRMED',
  SHIPPED: 'SHIPPED',
  DELIVERED: 'DELIVERED',
  CANCELLED: 'CANCELLED',
} as const;
export type OrderStatus = keyof typeof OrderStatus;
registerEnumType(OrderStatus, {
  name: 'OrderStatus',
  description: 'Status of an order or a shop order.',
  valuesConfig: {
    PENDING: { description: 'Not paid yet; the stock is reserved or about to be.' },
    CONFIRMED: { description: 'Paid.' },
    SHIPPED: { description: 'Handed to the carrier.' },
    DELIVERED: { description: 'Delivered to the customer.' },
    CANCELLED: { description: 'Cancelled; `cancelReason` of the order says why.' },
  },
});

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

export const CancelReason = {
  OUT_OF_STOCK: 'OUT_OF_STOCK',
  PAYMENT_TIMEOUT: 'PAYMENT_TIMEOUT',
  PAYMENT_FAILED: 'PAYMENT_FAILED',
  BY_CUSTOMER: 'BY_CUSTOMER',
  BY_SHOP: 'BY_SHOP',
  ABANDONED: 'ABANDONED',
} as const;
export type CancelReason = keyof typeof CancelReason;
registerEnumType(CancelReason, {
  name: 'CancelReason',
  description: 'Why an order was cancelled.',
  valuesConfig: {
    OUT_OF_STOCK: { description: 'There was not enough stock.' },
    PAYMENT_TIMEOUT: { description: 'The payment window expired.' },
    PAYMENT_FAILED: { description: 'The payment failed.' },
    BY_CUSTOMER: { description: 'The customer or an admin cancelled it.' },
    BY_SHOP: { description: 'The shop cancelled it.' },
    ABANDONED: { description: 'The checkout stopped half-way and was not retried.' },
  },
});

export const sqlList = (values: object) =>
  Object.keys(values)
    .map((value) => `'${value}'`)
    .join(', ');

const inOrder: readonly OrderStatus[] = ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED'];

/**
 * The status of an order, derived from its shop orders: cancelled once all of them are, otherwise
 * that of the least advanced shop order that is not cancelled.
 */
export function orderStatusOf(shopOrders: readonly OrderStatus[]): OrderStatus {
  return inOrder.find((status) => shopOrders.includes(status)) ?? 'CANCELLED';
}
