import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { expiredAdmissionsMax } from './passes.js';

export interface TicketKey {
  readonly customerId: string;
  readonly saleId: string;
}

/**
 * Puts a customer whose holds expired too often at the end of the queue. Whoever did it first did it for all requests
 * that were refused at the same time.
 */
export async function goToEnd(em: EntityManager, { customerId, saleId }: TicketKey): Promise<void> {
  await sql(
    em,
    `with queue as materialized (
       select next_number from sale_queue where sale_id = $2 and ended_at is null for update
     ), ticket as materialized (
       select from sale_ticket
       where customer_id = $1 and sale_id = $2 and (select count(*) from queue) = 1
         and admitted_at is not null and left_at is null and order_id is null
         and expired_orders >= ${expiredAdmissionsMax}
       for update
     ), moved as (
       update sale_ticket t set number = queue.next_number, admitted_at = null,
         admitted_paused_ms = null, expired_orders = 0, updated_at = now()
       from queue, ticket where t.customer_id = $1 and t.sale_id = $2
     )
     update sale_queue q set next_number = q.next_number + 1, updated_at = now()
     from ticket where q.sale_id = $2`,
    [customerId, saleId],
  );
}

/**
 * The place of a ticket in the queue: its number less that of the ticket which was admitted last; null without a ticket
 * that waits, and before the draw.
 */
export async function readPosition(
  em: EntityManager,
  { customerId, saleId }: TicketKey,
): Promise<{ readonly position: number | null; readonly serverTime: string }> {
  const [row] = await sql<{ position: number | null; now: string }>(
    em,
    `select now() as now, (
       select t.number - q.serving_number from sale_ticket t join sale_queue q using (sale_id)
       where t.customer_id = $1 and t.sale_id = $2 and t.left_at is null
         and q.ended_at is null and t.number > q.serving_number) as position`,
    [customerId, saleId],
  );
  return { position: row?.position ?? null, serverTime: new Date(row?.now ?? 0).toISOString() };
}
