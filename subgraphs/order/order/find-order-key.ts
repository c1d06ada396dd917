import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../shared/database/sql.js';
import type { RowKey } from '../row-key.js';

// By id alone, on every shard of a distributed database: what follows has the customer (customer_order_id).
const findSql = 'select customer_id as "customerId", id from customer_order where id = $1';

/** The key of an order, for what knows only its id, such as an event of another subgraph; null for an unknown one. */
export async function findOrderKey(em: EntityManager, id: string): Promise<RowKey | null> {
  return (await sqlPrepared<RowKey>(em, findSql, [id]))[0] ?? null;
}
