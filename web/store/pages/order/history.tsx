import type { OrderDetailsFragment, OrderEventType } from '../../graph/operations.js';
import { declineReasons } from '../../refusals/facts.js';
import { formatTime } from '../../ui/format.js';
import { cancelReasons } from '../../ui/status.jsx';

const names: Readonly<Record<OrderEventType, string>> = {
  PLACED: 'Order placed',
  RESERVED: 'Units held for you',
  PAYMENT_BEGUN: 'Payment begun',
  PAYMENT_AUTHORIZED: 'Payment authorized',
  PAYMENT_COMPLETED: 'Payment captured',
  PAYMENT_FAILED: 'Payment declined',
  PAYMENT_VOIDED: 'Payment voided, nothing was charged',
  CONFIRMED: 'Paid',
  SHIPPED: 'Shipped',
  DELIVERED: 'Delivered',
  UNITS_CANCELLED: 'Some units cancelled',
  CANCELLED: 'Cancelled',
  REFUND_REQUESTED: 'Refund requested',
  REFUND_COMPLETED: 'Money returned',
  REFUND_FAILED: 'Refund failed',
  REFUND_CANCELLED: 'Refund not needed',
  DISPUTE_CHANGED: 'Dispute changed',
};

/** Reasons are codes, or texts of the shop or the payment method. */
const reasonTexts: Readonly<Record<string, string>> = { ...declineReasons, ...cancelReasons };

/** What happened to an order, oldest first. */
export function History({ order }: { readonly order: OrderDetailsFragment }) {
  const shopNames = new Map(order.shopOrders.map(({ id, shop }) => [id, shop?.name]));
  return (
    <section class="stack" aria-labelledby="history">
      <h2 id="history">History</h2>
      <ol class="history">
        {order.history.edges.map(({ node: { id, type, reason, at, shopOrderId } }) => (
          <li key={id}>
            <span class="history-what">
              {names[type]}
              {shopOrderId && shopNames.get(shopOrderId) && ` · ${shopNames.get(shopOrderId)}`}
            </span>
            {reason && <span class="faint">{reasonTexts[reason] ?? reason}</span>}
            <time dateTime={at} class="faint">
              {formatTime(at)}
            </time>
          </li>
        ))}
      </ol>
    </section>
  );
}
