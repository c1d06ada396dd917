import type { EntityManager } from '@mikro-orm/postgresql';
import { sqlPrepared } from '../../../shared/database/sql.js';
import type { QueueNumbers } from '../../sale/queue-numbers.js';

/** A queue as everybody sees it. */
export interface ShownQueue extends QueueNumbers {
  readonly saleId: string;
  readonly state: 'OPEN' | 'CLOSED' | 'DRAWN' | 'ADMITTING' | 'ENDED';
  /** ISO 8601 */
  readonly startsAt: string;
  readonly serverTime: string;
}

/** The queues of sales, by id; one without a queue is left out. */
export async function readQueues(
  em: EntityManager,
  saleIds: readonly string[],
): Promise<Map<string, ShownQueue>> {
  const rows = await sqlPrepared<ShownQueue>(em, queuesSql, [[...new Set(saleIds)]]);
  return new Map(rows.map((row) => [row.saleId, row]));
}

// By the key of sale_queue, sale_ticket_id and sale_ticket_admitted.
const queuesSql = `
  select q.sale_id as "saleId", q.starts_at as "startsAt", now() as "serverTime",
    case when q.ended_at is not null then 'ENDED' when q.closed_at is null then 'OPEN'
      when q.drawn_at is null then 'CLOSED' when q.starts_at > now() then 'DRAWN'
      else 'ADMITTING' end as state,
    q.serving_number as "servingNumber",
    case when q.ended_at is not null then 0
      when q.closed_at is null then (
        select count(*)::int from sale_ticket t where t.sale_id = q.sale_id and t.left_at is null)
      else q.next_number - 1 - q.serving_number end as waiting,
    (select count(*)::int from sale_ticket t
      where t.sale_id = q.sale_id and t.admitted_at > now() - interval '1 minute')
      as "admittedPerMinute"
  from sale_queue q where q.sale_id = any($1::uuid[])`;
