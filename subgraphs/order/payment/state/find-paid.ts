import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';

/**
 * The id of the captured payment of an order; null if there is none. A second payment that was captured, and
 * to which nothing was sold, is not COMPLETED: an order has one live payment.
 */
export async function findPaidPayment(em: EntityManager, orderId: string): Promise<string | null> {
  const [payment] = await sql<{ id: string }>(
    em,
    `select id from payment where order_id = $1 and status in ('COMPLETED', 'REFUNDED')
     order by status = 'COMPLETED' desc, id limit 1`,
    [orderId],
  );
  return payment?.id ?? null;
}
