import { registerEnumType } from 'type-graphql';

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
  description: 'How far an order, or a shop’s part of it, is.',
  valuesConfig: {
    PENDING: { description: 'Its stock is held; it waits to be paid.' },
    CONFIRMED: { description: 'It is paid.' },
    SHIPPED: { description: 'It is on its way.' },
    DELIVERED: { description: 'It arrived.' },
    CANCELLED: { description: 'It ended; `cancelReason` says why.' },
  },
});

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
    PAYMENT_TIMEOUT: { description: 'It was not paid in time.' },
    PAYMENT_FAILED: { description: 'The payment failed.' },
    BY_CUSTOMER: { description: 'Its customer cancelled it.' },
    BY_SHOP: { description: 'A shop cancelled it.' },
    ABANDONED: { description: 'Its checkout never came to an end.' },
  },
});

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
