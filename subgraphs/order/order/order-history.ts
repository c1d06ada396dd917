import type { Connection, PageArgs } from '../../shared/graphql/connection.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadPages, type PageInShard, pageInShard } from '../../shared/graphql/load-pages.js';
import { isTimed, timeOfId } from '../../shared/ids.js';
import { owns } from '../../shared/rights/rights.js';
import { shownActor } from '../../shared/rights/shown-actor.js';
import type { OrderContext } from '../context.js';
import type { Order } from './order.js';
import { OrderEvent, type OrderEventType } from './order-event.js';
import { findVisibleShopOrders } from './visible-orders.js';

const aboutMoney: readonly OrderEventType[] = [
  'PAYMENT_BEGUN',
  'PAYMENT_AUTHORIZED',
  'PAYMENT_COMPLETED',
  'PAYMENT_FAILED',
  'PAYMENT_VOIDED',
  'REFUND_REQUESTED',
  'REFUND_COMPLETED',
  'REFUND_FAILED',
  'REFUND_CANCELLED',
  'DISPUTE_CHANGED',
];

interface PageOfHistory extends PageInShard {
  /** the shop orders that a shop sees, with the events of the order that are not about money; null: all */
  readonly shopOrderIds: readonly string[] | null;
}

const ofOrder = 'customer_id = parent.shard_id and order_id = parent.id';

const clockSkewMs = 86_400_000;

/**
 * SQL for the entries since these orders, so that PostgreSQL reads no partition of earlier months. An order is not
 * younger than its history, but for the clocks of processes.
 */
export function sinceOrders(orders: readonly { readonly parentId: string }[]): string {
  const times = orders.map(({ parentId }) => (isTimed(parentId) ? timeOfId(parentId) : 0));
  const since = new Date(Math.max(0, Math.min(...times) - clockSkewMs));
  return `id >= first_id_at('${since.toISOString()}')`;
}

const loadEvents = loadPages<PageOfHistory, OrderEvent>({
  order: 'asc',
  alikeBy: ({ shopOrderIds }) => shopOrderIds === null,
  sqlOf: (pages) =>
    pages[0]?.shopOrderIds === null
      ? { select: `select * from order_event where ${ofOrder} and ${sinceOrders(pages)}` }
      : {
          select: `select * from order_event where ${ofOrder} and ${sinceOrders(pages)}
            and (shop_order_id = any($5) or shop_order_id is null and type <> all($6))`,
          values: [pages.flatMap(({ shopOrderIds }) => shopOrderIds ?? []), aboutMoney],
        },
  toRow: (row, em) => em.map(OrderEvent, row),
});

/** A page of the history of an order. A shop sees only its shop order and the order’s status. */
export async function historyOf(
  context: OrderContext,
  order: Order,
  page: PageArgs,
): Promise<Connection<OrderEvent>> {
  const isOwn = owns(context, order.customerId);
  const shopOrderIds = isOwn
    ? null
    : (await findVisibleShopOrders(context, order)).map(({ id }) => id);
  const request = { ...pageInShard(order.customerId, order.id, page), shopOrderIds };
  const events = await loaderOf(context, loadEvents).load(request);
  if (isOwn) return events;
  const roles = { [order.customerId]: 'customer' };
  const edges = events.edges.map(({ cursor, node }) => ({
    cursor,
    node: { ...node, actor: shownActor(context, node.actor, roles) },
  }));
  return { ...events, edges };
}
