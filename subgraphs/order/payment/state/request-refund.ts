import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { newId } from '../../../shared/ids.js';
import { lockPayment } from '../../locks.js';
import { recordEvents } from '../../order/order-event.js';
import { markRefundsDue } from '../../order/payment-signals.js';
import { coverRefunds } from './cover-refunds.js';
import { requestableSql } from './refundable.js';

export interface RefundRequest {
  readonly paymentId: string;
  /** the shop order to refund; null for the rest of the payment */
  readonly shopOrderId: string | null;
  /** the exact amount; null, only with a null `shopOrderId`, for all that is not refunded yet */
  readonly amount: string | null;
  readonly reason: string;
  /** the id of the user who requested it, if any */
  readonly actor?: string;
}

/**
 * Inserts a due refund, in the transaction of `em`; a worker sends it. Refunds never exceed their
 * payment, and a shop order is refunded once: a second request changes nothing. What the customer has by a
 * dispute that was lost is set against it, so that it may be cancelled at once.
 *
 * @returns whether anything was left to refund
 */
export async function requestRefund(em: EntityManager, request: RefundRequest): Promise<boolean> {
  const { paymentId, shopOrderId, amount, reason, actor = 'payments' } = request;
  await lockPayment(em, paymentId);
  const [refund] = await sql<{ orderId: string }>(
    em,
    `insert into refund (id, payment_id, shop_order_id, amount, reason)
     select $1, p.id, $3, least(coalesce($4::numeric, p.amount), requestable.amount), $5
     from payment p, lateral (select ${requestableSql('p')} as amount) requestable
     where p.id = $2 and requestable.amount > 0
     on conflict do nothing
     returning (select order_id from payment where id = payment_id) as "orderId"`,
    [newId(), paymentId, shopOrderId, amount, reason],
  );
  if (!refund) return false;
  const event = { type: 'REFUND_REQUESTED', actor, reason } as const;
  const about = { orderId: refund.orderId, ...(shopOrderId && { shopOrderId }) };
  await recordEvents(em, [{ ...about, ...event }]);
  await coverRefunds(em, paymentId);
  markRefundsDue(em, paymentId);
  return true;
}
