import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import { returnStock } from '../warehouse-client/return-stock.js';
import type { Payment } from './payment.js';
import { recordStep } from './payment-state.js';

/**
 * The reservation is committed, but the capture is refused permanently: the order is cancelled and the
 * units are returned, in one commit.
 */
export function cancelUncapturable(
  app: OrderApp,
  payment: Payment,
  reason: string,
): Promise<boolean> {
  const { orderId } = payment;
  return recordStep(app, payment, { to: 'FAILED', reason, due: true }, async (em) => {
    const cancelled = await endPending(em, orderId, {
      status: 'CANCELLED',
      reason: 'PAYMENT_FAILED',
    });
    if (cancelled) await returnAllStock(em, orderId);
  });
}

/** Returns all units of an order to stock, in the transaction of `em`. */
export async function returnAllStock(em: EntityManager, orderId: string): Promise<void> {
  const shopOrders = await sql<{ shopId: string }>(
    em,
    'select shop_id as "shopId" from shop_order where order_id = $1 order by shop_id',
    [orderId],
  );
  const returns = shopOrders.map(({ shopId }) => ({ orderId, shopId, reason: 'PAYMENT_FAILED' }));
  await returnStock(em, returns);
}
