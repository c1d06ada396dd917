import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { LockedOrder, LockedPart } from '../fulfilment/change-shop-orders.js';
import type { CancelReason } from '../order/status.js';
import { requestRefund } from '../payment/refund.js';
import { giveBackPurchases } from '../purchase-limit/count-purchases.js';
import { returnStock } from '../warehouse-client/return-stock.js';

/**
 * Gives back, in the transaction of `em`, what was sold with parts of a paid order: the money by a
 * due refund, the units by a message to the warehouse subgraph; they count as bought no more.
 *
 * @param parts all that were not cancelled yet: then the rest of the payment is refunded
 */
export async function undoSale(
  em: EntityManager,
  order: LockedOrder,
  parts: readonly LockedPart[],
  { actor, reason }: { readonly actor: string; readonly reason: CancelReason },
): Promise<void> {
  await returnStock(
    em,
    parts.map(({ shopId }) => ({ orderId: order.id, shopId, reason })),
  );
  const partIds = parts.map(({ id }) => id);
  await giveBackPurchases(em, order.id, partIds);
  // A part is refunded at its own price; several at once, whatever of the payment is left.
  const live = order.parts.filter(({ status }) => status !== 'CANCELLED');
  const one = live.length > parts.length || live.length === 1 ? (parts[0] as LockedPart).id : null;
  const [paid] = await sql<{ paymentId: string; subtotal: string | null }>(
    em,
    `select p.id as "paymentId",
       (select sum(unit_price_amount * quantity) from order_item where shop_order_id = $2) as subtotal
     from payment p where p.order_id = $1 and p.status in ('COMPLETED', 'REFUNDED')
     order by p.status limit 1`,
    [order.id, one],
  );
  if (!paid) throw new Error(`the paid order ${order.id} has no completed payment`);
  if (Number(paid.subtotal ?? 1) === 0) return;
  await requestRefund(em, {
    paymentId: paid.paymentId,
    shopOrderId: one,
    amount: paid.subtotal,
    reason,
    actor,
  });
}
