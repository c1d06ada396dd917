import { sqlPrepared } from '../../shared/database/sql.js';
import { failPoint } from '../../shared/resilience/fail-point.js';
import { markChanged } from '../order/order-signals.js';
import type { PaymentApp } from './payment-app.js';
import type { NewPayment } from './state/begin-payments.js';

/**
 * Has the stock of an order that is held for a shorter time than others kept for `RESERVATION_MINUTES` since it was
 * reserved, and records its new expiry. Repeating it changes nothing.
 *
 * @returns false if the stock is no longer held: the order must not be paid
 * @throws `TRY_AGAIN`
 */
export async function extendHold(
  { orm, reservations, reserveForMs }: PaymentApp,
  { customerId, orderId }: NewPayment,
): Promise<boolean> {
  const { state, expiresAt } = await reservations.extend(orderId, reserveForMs);
  if (state !== 'HELD') return false;
  failPoint('hold extended, not recorded');
  const em = orm.em.fork();
  const values = [customerId, orderId, new Date(expiresAt as string)];
  if ((await sqlPrepared(em, recordSql, values)).length > 0) markChanged(em, orderId);
  return true;
}

// By customer_order_pkey.
const recordSql = `update customer_order set expires_at = greatest(expires_at, $3::timestamptz),
    reserve_for_ms = null, version = version + 1, updated_at = now()
  where customer_id = $1 and id = $2 and status = 'PENDING' and reserve_for_ms is not null
  returning 1`;
