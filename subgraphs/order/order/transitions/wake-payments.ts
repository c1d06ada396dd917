import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../../shared/database/sql.js';

/** Has a worker let go at once what is on its way for an order that ends, in the transaction of `em`. */
export async function wakePayments(em: EntityManager, orderId: string): Promise<void> {
  await sqlPrepared(
    em,
    `update payment set next_attempt_at = now()
     where order_id = $1 and status in ('PENDING', 'AUTHORIZED') and next_attempt_at > now()`,
    [orderId],
  );
}
