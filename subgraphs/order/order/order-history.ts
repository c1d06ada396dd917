import { loaderOf } from '../../shared/graphql/context.js';
import { loadAllBy } from '../../shared/graphql/load.js';
import { owns } from '../../shared/rights/rights.js';
import { shownActor } from '../../shared/rights/shown-actor.js';
import type { OrderContext } from '../context.js';
import type { Order } from './order.js';
import { OrderEvent, type OrderEventType } from './order-event.js';
import { findVisibleShopOrders } from './visible-orders.js';

const loadEvents = loadAllBy(OrderEvent, 'orderId', { id: 'asc' });

const aboutMoney: ReadonlySet<OrderEventType> = new Set([
  'PAYMENT_BEGUN',
  'PAYMENT_AUTHORIZED',
  'PAYMENT_COMPLETED',
  'PAYMENT_FAILED',
  'PAYMENT_VOIDED',
  'REFUND_REQUESTED',
  'REFUND_COMPLETED',
]);

/** The history of an order, oldest first. A shop sees only its shop order and the order’s status. */
export async function historyOf(context: OrderContext, order: Order): Promise<OrderEvent[]> {
  const events = await loaderOf(context, loadEvents).load(order.id);
  if (owns(context, order.customerId)) return events;
  const visible = new Set((await findVisibleShopOrders(context, order)).map(({ id }) => id));
  return events
    .filter(({ shopOrderId, type }) =>
      shopOrderId ? visible.has(shopOrderId) : !aboutMoney.has(type),
    )
    .map((event) => ({
      ...event,
      actor: shownActor(context, event.actor, { [order.customerId]: 'customer' }),
    }));
}
