import type { OrderStatus } from './status.js';

const inOrder: readonly OrderStatus[] = ['PENDING', 'CONFIRMED', 'SHIPPED', 'DELIVERED'];

/**
 * How far an order is, from how far its parts are: cancelled once all of them are, otherwise as the
 * least advanced of those that are not.
 */
export function orderStatusOf(parts: readonly OrderStatus[]): OrderStatus {
  return inOrder.find((status) => parts.includes(status)) ?? 'CANCELLED';
}
