import { namedParameters } from '../../../shared/database/named-parameters.js';
import { admissionEndsSql } from './passes.js';

/** Queues that are served at a time. */
const queuesMax = 500;
/** Tickets that one queue admits at a time, so that those who join do not wait long for its lock. */
const batchMax = 1000;
/** Longer than a turn takes: a process that was killed keeps others from admitting for so long. */
const leaseMs = 4000;

/**
 * Takes or renews the lease of queues that may admit or are to be ended. By `sale_queue_open`. A token is for one turn:
 * what a statement of an earlier one still does, or does afterwards, is seen or refused.
 *
 * `$1`: the token. `$2`: that of the turn before
 */
export const leaseSql = `
  with open as materialized (
    select sale_id from sale_queue
    where ended_at is null and starts_at <= now() and (drawn_at is not null or ends_at <= now())
      and (served_by = $2 or serve_after <= now())
    order by sale_id limit ${queuesMax} for update
  )
  update sale_queue q set served_by = $1, updated_at = now(),
    serve_after = clock_timestamp() + interval '${leaseMs} ms'
  from open where q.sale_id = open.sale_id
  returning q.sale_id as "saleId"`;

const termsColumns = { sale_id: 'uuid', admission_ms: 'float8', paused_ms: 'float8' } as const;

/** The clock of the warehouse, which frees the units of a hold, may be ahead of that of order by so much. */
const clockMargin = "interval '2 s'";

/**
 * SQL for tickets of a sale whose admission is valid and has no held order, as `t`. By `sale_ticket_admitted`. A hold
 * that has expired, or is about to, is none: its units may be free before the order ends.
 */
const withoutHeldOrder = (terms: string) => `
    from sale_ticket t
      left join customer_order o on o.customer_id = t.customer_id and o.id = t.order_id
    where t.sale_id = ${terms}.sale_id and t.left_at is null
      and (o.number is null or (o.status = 'PENDING' and o.expires_at <= now() + ${clockMargin}))
      and t.admitted_at > now() - (${terms}.admission_ms + ${terms}.paused_ms) * interval '1 ms'
      and ${admissionEndsSql('t', `${terms}.admission_ms`, `${terms}.paused_ms`)} > now()`;

const countParameters = namedParameters({ terms: termsColumns });

/** Counts admissions that are valid and have no held order, with the snapshot in which they are counted. */
export const countSql = {
  parameters: countParameters,
  text: `
  select n.sale_id as "saleId", pg_current_snapshot()::text as snapshot, now()::text as counted_at,
    (select count(*)::int ${withoutHeldOrder('n')}) as counted
  from ${countParameters.sql.terms.replace(' as terms ', ' as n ')}`,
};

const admitParameters = namedParameters({
  turn: {
    ...termsColumns,
    /** admissions without a held order that there may be */
    open_max: 'int',
    /** those that were counted before the units were read, in which snapshot, and when */
    counted: 'int',
    snapshot: 'text',
    counted_at: 'timestamptz',
    per_minute: 'int',
  },
  token: 'uuid',
});

/** SQL for how many were admitted within some seconds. By `sale_ticket_admitted`. */
const admittedWithin = (seconds: number) => `(
        select count(*) from sale_ticket t where t.sale_id = n.sale_id
          and t.admitted_at > now() - interval '${seconds} s')`;

/**
 * Admits the next tickets that wait, and moves the watermark to the last of them. Admissions that were counted as held
 * and whose order has ended or expired since are counted here: their units may be among the free ones. A ticket that
 * was left and got another number while this statement waited for the lock of its queue is passed over.
 */
export const admitSql = {
  parameters: admitParameters,
  text: `
  with turn as materialized (select * from ${admitParameters.sql.turn}),
  queue as materialized (
    select q.sale_id, q.serving_number, n.admission_ms, n.paused_ms, n.open_max, n.counted,
      n.snapshot, n.counted_at, n.per_minute
    from sale_queue q join turn n using (sale_id)
    where q.served_by = ${admitParameters.sql.token} and q.serve_after > clock_timestamp()
      and q.ended_at is null
    order by q.sale_id for update of q
  ), room as materialized (
    select n.sale_id, n.serving_number, n.paused_ms, greatest(0, least(
      ${batchMax},
      n.open_max - n.counted - (select count(*) ${withoutHeldOrder('n')}
        and (not pg_visible_in_snapshot(t.returned_xid, n.snapshot::pg_snapshot)
          or o.expires_at > n.counted_at + ${clockMargin})),
      n.per_minute - ${admittedWithin(60)},
      ceil(n.per_minute / 60.0) - ${admittedWithin(1)})) as places
    from queue n
  ), next_ticket as materialized (
    select room.sale_id, room.paused_ms, t.customer_id, t.number
    from room cross join lateral (
      select customer_id, number from sale_ticket
      where sale_id = room.sale_id and number > room.serving_number and left_at is null
      order by number limit room.places) t
  ), locked as materialized (
    select t.customer_id, t.sale_id, n.paused_ms
    from sale_ticket t join next_ticket n using (customer_id, sale_id)
    where t.left_at is null and t.number = n.number
    order by t.sale_id, t.customer_id for update of t
  ), admitted as (
    update sale_ticket t set admitted_at = date_trunc('milliseconds', clock_timestamp()),
      admitted_paused_ms = l.paused_ms, updated_at = now()
    from locked l where t.customer_id = l.customer_id and t.sale_id = l.sale_id
    returning t.sale_id
  ), moved as (
    update sale_queue q set serving_number = n.number, updated_at = now()
    from (select sale_id, max(number) as number from next_ticket group by sale_id) n
    where q.sale_id = n.sale_id
  )
  select sale_id as "saleId", count(*)::int as admitted from admitted group by sale_id`,
};

/** Ends queues. `$1`: the sales. `$2`: the token of the turn */
export const endSql = `
  with queue as materialized (
    select sale_id from sale_queue
    where sale_id = any($1::uuid[]) and served_by = $2 and ended_at is null
    order by sale_id for update
  )
  update sale_queue q set ended_at = now(), updated_at = now()
  from queue where q.sale_id = queue.sale_id`;
