import { listHashSql } from '../../subgraphs/order/sale-queue/close-list.js';
import { type Invariant, invariantOf, setIn } from './invariant.js';

/** Tickets are pruned long after the sale; the queue stays. */
const isPruned = `q.ends_at < now() - interval '300 days'`;

const hmacKeySql = (pad: number) => `(
    select string_agg(set_byte('\\x00', 0, pad), '' order by at)
    from (select at, (case when at < length(q.seed) then get_byte(q.seed, at) else 0 end) # ${pad} as pad
      from generate_series(0, 63) as at) as block)`;

/** The invariants of the queues of sales, in the order subgraph's database; they hold at every commit. */
export const saleQueueInvariants: Invariant[] = [
  invariantOf('order', 'the list of a queue has the size and the hash that were published', {
    key: { sale_id: 'uuid' },
    changedWhere: (period) => setIn(period, 'q.closed_at'),
    select: (only) => `select q.sale_id, q.list_count, encode(q.list_hash, 'hex') as list_hash,
        (select count(*) from sale_ticket t where t.sale_id = q.sale_id and t.early) as early,
        encode(${listHashSql('q.sale_id')}, 'hex') as early_hash
      from sale_queue q where q.closed_at is not null and not ${isPruned} and ${only('q.sale_id')}`,
    holds: 'list_count = early and list_hash = early_hash',
  }),
  invariantOf('order', 'the numbers of a draw are 1 to n, in the order of its HMACs', {
    key: { sale_id: 'uuid' },
    changedWhere: (period) => setIn(period, 'q.drawn_at'),
    with: (only) => `draw as materialized (
      select q.sale_id, q.list_count, ${hmacKeySql(0x5c)} as outer_key, ${hmacKeySql(0x36)}
          || coalesce(sha256(q.beacon_signature), '') || q.list_hash as inner_key
      from sale_queue q where q.drawn_at is not null and not ${isPruned} and ${only('q.sale_id')}
    ), expected as (
      select d.sale_id, t.draw_number, row_number() over (partition by d.sale_id
        order by sha256(d.outer_key || sha256(d.inner_key || uuid_send(t.id))), t.id) as number
      from draw d cross join lateral (
        select id, draw_number from sale_ticket where sale_id = d.sale_id and early offset 0) t)`,
    select: () => `select d.sale_id, d.list_count, count(e.number) as tickets,
        count(*) filter (where e.draw_number is distinct from e.number and e.number is not null) as wrong
      from draw d left join expected e using (sale_id) group by 1, 2`,
    holds: 'wrong = 0 and tickets = list_count',
  }),
  invariantOf('order', 'a ticket of a queue has a number of its own once it is drawn or late', {
    key: { customer_id: 'uuid', sale_id: 'uuid' },
    changedWhere: (period) => setIn(period, 't.updated_at'),
    select: (only) => `select t.customer_id, t.sale_id, t.early, t.draw_number, t.number,
        q.closed_at, q.drawn_at, q.list_count, q.next_number,
        (select count(*) from sale_ticket o where o.sale_id = t.sale_id and o.number = t.number
          and o.customer_id <> t.customer_id) > 0 as is_shared
      from sale_ticket t left join lateral (
        select * from sale_queue where sale_id = t.sale_id offset 0) q on true
      where ${only('t.customer_id, t.sale_id')}`,
    holds: `case
      when closed_at is null then early and number is null and draw_number is null
      when not early then draw_number is null and number > list_count
      else (draw_number is not null) = (drawn_at is not null) and (drawn_at is null or number is not null)
        and (number is null or number = draw_number or number > list_count) end
      and not is_shared and (number is null or number between 1 and next_number - 1)`,
  }),
];
