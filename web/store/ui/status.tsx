import type { CancelReason, OrderStatus } from '../graph/operations.js';

const names: Readonly<Record<OrderStatus, string>> = {
  PENDING: 'Waiting for payment',
  CONFIRMED: 'Paid',
  SHIPPED: 'Shipped',
  DELIVERED: 'Delivered',
  CANCELLED: 'Cancelled',
};

const tones: Readonly<Record<OrderStatus, string>> = {
  PENDING: 'warning',
  CONFIRMED: 'good',
  SHIPPED: 'good',
  DELIVERED: 'good',
  CANCELLED: 'muted',
};

/** The status of an order or of a shop's part of it. */
export function Status({ status }: { readonly status: OrderStatus }) {
  return <span class={`badge badge-${tones[status]}`}>{names[status]}</span>;
}

/** Why an order was cancelled, as a sentence. */
export const cancelReasons: Readonly<Record<CancelReason, string>> = {
  OUT_OF_STOCK: 'Units were found missing before the payment was captured. Nothing was charged.',
  PAYMENT_TIMEOUT: 'The time to pay ran out, and the units went back on sale.',
  PAYMENT_FAILED: 'The payment failed, and the units went back on sale.',
  BY_CUSTOMER: 'It was cancelled at your request.',
  BY_SHOP: 'The shop cancelled it. What you paid is refunded.',
  ABANDONED: 'The checkout did not complete, and the units went back on sale.',
};
