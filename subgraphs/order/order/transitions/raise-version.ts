import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import type { RowKey } from '../../row-key.js';
import { markChanged } from '../order-signals.js';

/** Records that what an order shows has changed, though its status has not. In a transaction that holds its lock. */
export async function raiseVersion(em: EntityManager, { customerId, id }: RowKey): Promise<void> {
  await sql(
    em,
    `update customer_order set version = version + 1, updated_at = now()
     where customer_id = $1 and id = $2`,
    [customerId, id],
  );
  markChanged(em, id);
}
