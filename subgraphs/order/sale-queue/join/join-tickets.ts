import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, sqlPrepared } from '../../../shared/database/sql.js';
import { transact } from '../../../shared/database/transact.js';
import { isLapsedSql } from '../admission-end.js';
import { lockQueues } from '../lock-queues.js';
import { readTickets, ticketNameOf } from '../queue-reads.js';
import type { SaleTicket } from '../sale-ticket.js';

export interface Join {
  readonly saleId: string;
  readonly customerId: string;
  /** of a new ticket */
  readonly id: string;
}

export type Joined =
  | { readonly state: 'joined'; readonly ticket: SaleTicket }
  /** nobody waits any more */
  | { readonly state: 'over' }
  /** the list of early tickets is closed, or has to be */
  | { readonly state: 'late' }
  /** the list of early tickets is to be closed first */
  | { readonly state: 'early' };

/** Nobody takes a ticket of the same customer out of the list meanwhile: it is as before, or waits again. */
const insertEarlySql = `
  insert into sale_ticket (customer_id, sale_id, id, joined_at, early)
  select customer_id, sale_id, id, clock_timestamp(), true
  from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as t (customer_id, sale_id, id)
  order by sale_id, customer_id
  on conflict (customer_id, sale_id) do update set left_at = null, updated_at = now()
    where sale_ticket.left_at is not null`;

/**
 * Whoever adds or numbers tickets holds the lock of the queue, so that this statement sees all of them. A ticket that
 * was left, or whose admission lapsed, begins again at the end, with its former number in the draw. It is locked first:
 * an order may be placed at the end of its admission.
 *
 * `returned_xid` stays: it counts only for tickets that are admitted, in the turn in which the order ended
 * (admission-sql.ts), and a ticket that begins again is admitted by a later turn, whose count sees that transaction.
 */
const insertLateSql = `
  with known as materialized (
    select t.* from sale_ticket t
      join unnest($1::uuid[], $2::uuid[]) as j (customer_id, sale_id) using (customer_id, sale_id)
    order by t.sale_id, t.customer_id for update of t
  ), target as (
    select t.customer_id, t.sale_id, t.id, q.next_number
      + (row_number() over (partition by t.sale_id order by t.n))::int - 1 as number
    from unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as t (customer_id, sale_id, id, n)
      join sale_queue q using (sale_id)
      left join known using (customer_id, sale_id)
    where known.id is null or known.left_at is not null or ${isLapsedSql('known', 'q')}
  ), numbered as (
    update sale_queue q set next_number = q.next_number + taken.count, updated_at = now()
    from (select sale_id, count(*)::int as count from target group by 1) as taken
    where q.sale_id = taken.sale_id
  )
  insert into sale_ticket (customer_id, sale_id, id, joined_at, number)
  select customer_id, sale_id, id, clock_timestamp(), number from target
  order by sale_id, customer_id
  on conflict (customer_id, sale_id) do update set left_at = null, number = excluded.number,
    admitted_at = null, admitted_paused_ms = null, order_id = null, expired_orders = 0,
    updated_at = now()`;

/** Longer than others who join, or an admission, hold a lock; closing and drawing a long list takes longer. */
const lockTimeoutMs = 1000;

/**
 * Takes tickets in the lists of queues, or behind them; a customer who has one keeps it.
 *
 * @param when `early` locks the queues for share, so that others join at the same time, and `late` for update
 * @throws OutcomeUnknown; an error of `lock_timeout` while a long list is closed or drawn
 */
export function joinTickets(
  em: EntityManager,
  joins: readonly Join[],
  when: 'early' | 'late',
): Promise<Joined[]> {
  return transact(em, async (tx) => {
    await sql(tx, `set local lock_timeout = ${lockTimeoutMs}`);
    const queues = await lockQueues(
      tx,
      joins.map(({ saleId }) => saleId),
      when === 'early' ? 'share' : 'update',
    );
    const stateOf = ({ saleId }: Join) => {
      const queue = queues.get(saleId);
      if (!queue || queue.isOver) return 'over';
      if (when === 'early') return queue.isClosed || queue.isDue ? 'late' : 'joined';
      return queue.isClosed ? 'joined' : 'early';
    };
    const chosen = new Map<string, Join>();
    for (const join of joins) {
      if (stateOf(join) === 'joined' && !chosen.has(ticketNameOf(join)))
        chosen.set(ticketNameOf(join), join);
    }
    const tickets = await take(tx, [...chosen.values()], when);
    return joins.map((join): Joined => {
      const state = stateOf(join);
      if (state !== 'joined') return { state };
      return { state, ticket: tickets.get(ticketNameOf(join)) as SaleTicket };
    });
  });
}

async function take(
  tx: EntityManager,
  joins: readonly Join[],
  when: 'early' | 'late',
): Promise<ReadonlyMap<string, SaleTicket>> {
  if (joins.length === 0) return new Map();
  const customerIds = joins.map(({ customerId }) => customerId);
  const saleIds = joins.map(({ saleId }) => saleId);
  const ids = joins.map(({ id }) => id);
  const insert = when === 'early' ? insertEarlySql : insertLateSql;
  await sqlPrepared(tx, insert, [customerIds, saleIds, ids]);
  const tickets = await readTickets(tx, joins);
  return new Map(tickets.map((ticket) => [ticketNameOf(ticket), ticket]));
}
