import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from '../../../shared/database/sql.js';
import { expiredAdmissionsMax } from './passes.js';

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

export interface TicketKey {
  readonly customerId: string;
  readonly saleId: string;
}

export interface Position {
  readonly position: number | null;
  /** whether the ticket waits, also before the draw */
  readonly waits: boolean;
  /** ISO 8601 */
  readonly serverTime: string;
}

/**
 * The place of a ticket in the queue: its number less that of the ticket which was admitted last; null without a ticket
 * that waits, and before the draw.
 */
export async function readPosition(
  em: EntityManager,
  { customerId, saleId }: TicketKey,
): Promise<Position> {
  const [row] = await sql<{ now: string; position: number | null; waits: boolean }>(
    em,
    `select now() as now, t.number - t.serving_number as position,
       t.customer_id is not null as waits
     from (select 1) as one left join (
       select t.customer_id, t.number, q.serving_number
       from sale_ticket t join sale_queue q using (sale_id)
       where t.customer_id = $1 and t.sale_id = $2 and t.left_at is null and q.ended_at is null
         and (t.number is null or t.number > q.serving_number)) as t on true`,
    [customerId, saleId],
  );
  const { now = 0, position = null, waits = false } = row ?? {};
  return { position, waits, serverTime: new Date(now).toISOString() };
}
