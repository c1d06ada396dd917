import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import { type LockedOrder, lockPayment } from '../locks.js';
import type { CancelReason } from '../order/status.js';
import type { CancelledUnits } from '../order/transitions/cancel-units.js';
import { readRefundedUnits } from '../payment/state/refunded-units.js';
import { type RefundRequest, requestRefunds } from '../payment/state/request-refunds.js';
import { subtractPurchases } from '../purchase-limit/count-purchases.js';
import { announceCancelled, type UnitsCancellation } from '../warehouse-client/announce-units.js';

export interface Reversal {
  /** a user’s id */
  readonly actor: string;
  readonly reason: CancelReason;
  readonly units: UnitsCancellation;
}

/**
 * Reverses the sale of cancelled units of a paid order, in the transaction of `em`: cancels them at the
 * warehouse subgraph, subtracts them from the purchases, and requests a refund for each shop order. Units whose
 * price a refund has already are not refunded again.
 */
export async function reverseSale(
  em: EntityManager,
  order: LockedOrder,
  cancelled: readonly CancelledUnits[],
  { actor, reason, units }: Reversal,
): Promise<void> {
  await announceCancelled(em, cancelled, units);
  await subtractPurchases(em, order.customerId, cancelled);
  const paymentId = await findPayment(em, order.id);
  await lockPayment(em, paymentId);
  const unrefunded = await withoutRefunded(em, cancelled);
  const ofShopOrders = [...Map.groupBy(unrefunded, ({ shopOrderId }) => shopOrderId)];
  const requests = ofShopOrders.map(([shopOrderId, lines]): RefundRequest => {
    const amount = sumOf(lines.map(({ unitPrice, quantity }) => lineTotal(unitPrice, quantity)));
    return { shopOrderId, amount, lines, reason, actor };
  });
  await requestRefunds(em, paymentId, requests);
}

/** The payment that bought an order. */
async function findPayment(em: EntityManager, orderId: string): Promise<string> {
  const [payment] = await sql<{ id: string }>(
    em,
    `select id from payment where order_id = $1 and status in ('COMPLETED', 'REFUNDED')
     order by status limit 1`,
    [orderId],
  );
  if (!payment) throw new Error(`the paid order ${orderId} has no completed payment`);
  return payment.id;
}

/** The cancelled units without those whose price a refund of lines has already. */
async function withoutRefunded(
  em: EntityManager,
  cancelled: readonly CancelledUnits[],
): Promise<CancelledUnits[]> {
  const refunded = await readRefundedUnits(
    em,
    cancelled.map(({ itemId }) => itemId),
  );
  return cancelled
    .map((line) => {
      const unrefunded = line.cancelled - (refunded.get(line.itemId) ?? 0);
      return { ...line, quantity: Math.max(0, Math.min(line.quantity, unrefunded)) };
    })
    .filter(({ quantity }) => quantity > 0);
}
