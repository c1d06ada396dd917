import type { EntityManager } from '@mikro-orm/postgresql';
import { priceOf } from '../../shared/money.js';
import { type LockedOrder, lockPayment } from '../locks.js';
import type { CancelReason } from '../order/status.js';
import type { CancelledUnits } from '../order/transitions/cancel-units.js';
import { findPaidPayment } from '../payment/state/find-paid.js';
import { readRefundedUnits } from '../payment/state/refunded-units.js';
import { requireRoomForRefund } from '../payment/state/refunds-max.js';
import { type RefundRequest, requestRefunds } from '../payment/state/request-refunds.js';
import { subtractPurchases } from '../purchase-limit/count-purchases.js';
import { announceCancelled, type UnitsCancellation } from '../warehouse-client/announce-units.js';

export interface Reversal {
  /** a user’s id */
  readonly actor: string;
  readonly reason: CancelReason;
  readonly units: UnitsCancellation;
  /** whether other units of the shop order are left */
  readonly isPartial?: boolean;
}

/**
 * Reverses the sale of cancelled units of a paid order, in the transaction of `em`: cancels them at the
 * warehouse subgraph, subtracts them from the purchases, and requests a refund for each shop order. Units whose
 * price a refund has already are not refunded again.
 *
 * @throws `BAD_USER_INPUT` for a part of a shop order that has the greatest number of refunds
 */
export async function reverseSale(
  em: EntityManager,
  order: LockedOrder,
  cancelled: readonly CancelledUnits[],
  { actor, reason, units, isPartial = false }: Reversal,
): Promise<void> {
  await announceCancelled(em, cancelled, units);
  const { customerId } = order;
  await subtractPurchases(em, customerId, cancelled);
  const payment = await findPaidPayment(em, order);
  if (!payment) throw new Error(`the paid order ${order.id} has no completed payment`);
  await lockPayment(em, payment);
  const unrefunded = await withoutRefunded(em, customerId, cancelled);
  const ofShopOrders = [...Map.groupBy(unrefunded, ({ shopOrderId }) => shopOrderId)];
  const requests = ofShopOrders.map(([shopOrderId, lines]): RefundRequest => {
    return { shopOrderId, amount: priceOf(lines), lines, reason, actor };
  });
  if (isPartial) {
    for (const [shopOrderId] of ofShopOrders) {
      await requireRoomForRefund(em, { customerId, id: shopOrderId });
    }
  }
  await requestRefunds(em, payment, requests);
}

/** The cancelled units without those whose price a refund of lines has already. */
async function withoutRefunded(
  em: EntityManager,
  customerId: string,
  cancelled: readonly CancelledUnits[],
): Promise<CancelledUnits[]> {
  const refunded = await readRefundedUnits(
    em,
    customerId,
    cancelled.map(({ itemId }) => itemId),
  );
  return cancelled
    .map((line) => {
      const unrefunded = line.cancelled - (refunded.get(line.itemId) ?? 0);
      return { ...line, quantity: Math.max(0, Math.min(line.quantity, unrefunded)) };
    })
    .filter(({ quantity }) => quantity > 0);
}
