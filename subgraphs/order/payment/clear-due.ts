import { sql } from '../../shared/database/sql.js';
import type { PaymentApp } from './payment-app.js';
import type { Payment } from './state/payment.js';

/** A webhook that came since the payment was read has set another time, and is processed by itself. */
export async function clearDue({ orm }: PaymentApp, payment: Payment): Promise<void> {
  const { customerId, id, status, nextAttemptAt } = payment;
  await sql(
    orm.em.fork(),
    `update payment set next_attempt_at = null
     where customer_id = $1 and id = $2 and status = $3
       and date_trunc('milliseconds', next_attempt_at) = $4`,
    [customerId, id, status, nextAttemptAt],
  );
}
