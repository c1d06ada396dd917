import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { LockedOrder, LockedShopOrder } from '../locks.js';
import type { CancelReason } from '../order/status.js';
import { requestRefund } from '../payment/state/request-refund.js';
import { subtractPurchases } from '../purchase-limit/count-purchases.js';
import { announceCancelled, type UnitsCancellation } from '../warehouse-client/announce-units.js';

export interface Reversal {
  /** a user’s id */
  readonly actor: string;
  readonly reason: CancelReason;
  readonly units: UnitsCancellation;
}

/**
 * Reverses the sale of shop orders of a paid order, in the transaction of `em`: requests the refund,
 * cancels the units at the warehouse subgraph and subtracts the purchases.
 *
 * @param shopOrders if these are all that were not cancelled yet, the rest of the payment is refunded
 */
export async function reverseSale(
  em: EntityManager,
  order: LockedOrder,
  shopOrders: readonly LockedShopOrder[],
  { actor, reason, units }: Reversal,
): Promise<void> {
  const shopOrderIds = shopOrders.map(({ id }) => id);
  await announceCancelled(em, shopOrderIds, units);
  await subtractPurchases(em, order.id, shopOrderIds);
  // One shop order is refunded at its subtotal; several at once, with the rest of the payment.
  const live = order.shopOrders.filter(({ status }) => status !== 'CANCELLED');
  const onlyShopOrderId =
    live.length > shopOrders.length || live.length === 1
      ? (shopOrders[0] as LockedShopOrder).id
      : null;
  const [paid] = await sql<{ paymentId: string; subtotal: string | null }>(
    em,
    `select p.id as "paymentId",
       (select sum(unit_price_amount * quantity) from order_item where shop_order_id = $2) as subtotal
     from payment p where p.order_id = $1 and p.status in ('COMPLETED', 'REFUNDED')
     order by p.status limit 1`,
    [order.id, onlyShopOrderId],
  );
  if (!paid) throw new Error(`the paid order ${order.id} has no completed payment`);
  if (Number(paid.subtotal ?? 1) === 0) return;
  await requestRefund(em, {
    paymentId: paid.paymentId,
    shopOrderId: onlyShopOrderId,
    amount: paid.subtotal,
    reason,
    actor,
  });
}
