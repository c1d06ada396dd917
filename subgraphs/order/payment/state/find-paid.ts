import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import type { RowKey } from '../../row-key.js';

/**
 * The key of the captured payment of an order; null if there is none. A second payment that was captured, and
 * to which nothing was sold, is not COMPLETED: an order has one live payment.
 */
export async function findPaidPayment(
  em: EntityManager,
  { customerId, id }: RowKey,
): Promise<RowKey | null> {
  const [payment] = await sql<{ id: string }>(
    em,
    `select id from payment where customer_id = $1 and order_id = $2 and status in ('COMPLETED', 'REFUNDED')
     order by status = 'COMPLETED' desc, id limit 1`,
    [customerId, id],
  );
  return payment ? { customerId, id: payment.id } : null;
}
