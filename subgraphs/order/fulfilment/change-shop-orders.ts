import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { LockedOrder } from '../locks.js';
import { recordEvents } from '../order/order-event.js';
import { markChanged } from '../order/order-signals.js';
import {
  type CancelReason,
  OrderStatus,
  orderStatusOf,
  orderTransitions,
  shopOrderTransitions,
} from '../order/status.js';
import { raiseVersion } from '../order/transitions/raise-version.js';
import { assertTransition } from '../state-machine.js';

/** A status to which a shop order of a paid order changes. */
export type PaidStatus = 'SHIPPED' | 'DELIVERED' | 'CANCELLED';

/** The status from which a shop order of a paid order changes to `to`: each has one source. */
export function previousStatus(to: PaidStatus): OrderStatus {
  const sources = Object.values(OrderStatus).filter(
    (from) => from !== 'PENDING' && shopOrderTransitions[from].includes(to),
  );
  return sources[0] as OrderStatus;
}

export interface ShopOrdersChange {
  readonly shopOrderIds: readonly string[];
  readonly to: PaidStatus;
  /** a user’s id */
  readonly actor: string;
  /** of a cancellation */
  readonly reason?: CancelReason;
  /** of a cancellation, for the history of the shop orders; by default `reason` */
  readonly details?: string;
  readonly trackingNumber?: string | null;
}

/** Changes shop orders of a locked order and the order’s own status, and records both in the history. */
export async function changeShopOrders(
  em: EntityManager,
  order: LockedOrder,
  { shopOrderIds, to, actor, reason, details, trackingNumber }: ShopOrdersChange,
): Promise<void> {
  const after = order.shopOrders.map(({ id, status }) => {
    if (!shopOrderIds.includes(id)) return status;
    assertTransition(shopOrderTransitions, status, to);
    return to;
  });
  const status = orderStatusOf(after);
  if (status !== order.status) assertTransition(orderTransitions, order.status, status);
  await sql(
    em,
    `with shop_orders as (
       update shop_order set status = $4, tracking_number = coalesce($5, tracking_number),
         shipped_at = case when $4 = 'SHIPPED' then now() else shipped_at end,
         delivered_at = case when $4 = 'DELIVERED' then now() else delivered_at end,
         updated_at = now()
       where customer_id = $1 and id = any($3::uuid[]) and status = $6
     )
     update customer_order set status = $7, cancel_reason = $8, version = version + 1,
       updated_at = now()
     where customer_id = $1 and id = $2`,
    [
      order.customerId,
      order.id,
      shopOrderIds,
      to,
      trackingNumber ?? null,
      previousStatus(to),
      status,
      status === 'CANCELLED' ? reason : null,
    ],
  );
  markChanged(em, order.id);
  const event = { customerId: order.customerId, orderId: order.id, actor };
  const why = details ?? reason ?? null;
  const ofShopOrders = shopOrderIds.map((shopOrderId) => {
    return { ...event, shopOrderId, type: to, reason: why };
  });
  // Every shop of the order sees it, so it has no details.
  const orderReason = status === 'CANCELLED' ? (reason ?? null) : null;
  const ofOrder =
    status === order.status || status === 'PENDING'
      ? []
      : [{ ...event, type: status, reason: orderReason }];
  await recordEvents(em, [...ofShopOrders, ...ofOrder]);
}

/** Units of a shop order of a locked order, of which other units are left. */
export interface PartCancellation {
  readonly shopOrderId: string;
  /** a user’s id */
  readonly actor: string;
  readonly details: string;
}

/** Records that units of a shop order were cancelled; its status and the order’s stay as they are. */
export async function recordUnitsCancelled(
  em: EntityManager,
  order: LockedOrder,
  { shopOrderId, actor, details }: PartCancellation,
): Promise<void> {
  const { customerId, id: orderId } = order;
  const touch = 'update shop_order set updated_at = now() where customer_id = $1 and id = $2';
  await sql(em, touch, [customerId, shopOrderId]);
  await raiseVersion(em, order);
  await recordEvents(em, [
    { customerId, orderId, shopOrderId, type: 'UNITS_CANCELLED', actor, reason: details },
  ]);
}
