import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../shared/database/sql.js';
import type { OrderApp } from '../context.js';
import { endPending } from '../order/transitions/end-pending.js';
import { announceCancelled } from '../warehouse-client/announce-units.js';
import type { Payment } from './payment.js';
import { recordStep } from './payment-state.js';

/**
 * The reservation is committed, but the capture is refused permanently: the order is cancelled and its
 * units can be sold again, in one commit.
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
    if (cancelled) await cancelAllUnits(em, orderId);
  });
}

/** Makes all units of an order available again, in the transaction of `em`. */
export async function cancelAllUnits(em: EntityManager, orderId: string): Promise<void> {
  const shopOrders = await sql<{ id: string }>(
    em,
    'select id from shop_order where order_id = $1',
    [orderId],
  );
  const shopOrderIds = shopOrders.map(({ id }) => id);
  await announceCancelled(em, shopOrderIds, { reason: 'PAYMENT_FAILED' });
}
