import { itemsSince } from './changed-orders.js';
import { type Invariant, invariantOf, setIn } from './invariant.js';

/** Tickets are pruned long after their sale; its orders stay. */
const mayHavePrunedTicket = `created_at < now() - interval '300 days'`;

const ticketKey = { customer_id: 'uuid', sale_id: 'uuid' };

/** The invariants of whom queues admit, and of the orders that are placed with it; they hold at every commit. */
export const saleAdmissionInvariants: Invariant[] = [
  invariantOf('order', 'a queue has admitted the tickets up to its watermark, and no other', {
    key: ticketKey,
    changedWhere: (period) => setIn(period, 't.updated_at'),
    select: (only) => `select t.customer_id, t.sale_id, t.number, t.admitted_at, t.left_at,
        q.serving_number, q.next_number
      from sale_ticket t left join lateral (
        select * from sale_queue where sale_id = t.sale_id offset 0) q on true
      where ${only('t.customer_id, t.sale_id')}`,
    holds: `serving_number < next_number and case when admitted_at is not null
      then number <= serving_number
      else left_at is not null or number is null or number > serving_number end`,
  }),
  invariantOf('order', 'the order of an admission is of its customer, and open or paid', {
    key: ticketKey,
    changedWhere: (period) => setIn(period, 't.updated_at'),
    select: (only) => `select t.customer_id, t.sale_id, t.order_id,
        exists (select from shop_order s
            join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
          where s.customer_id = t.customer_id and s.order_id = t.order_id
            and i.sale_id = t.sale_id and not s.never_paid) as has_order
      from sale_ticket t where ${only('t.customer_id, t.sale_id')}`,
    holds: 'order_id is null or has_order',
  }),
  invariantOf('order', 'a line of a sale with a queue was ordered within an admission', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: itemsSince,
    select: (only) => `select i.customer_id, i.id, i.sale_id, i.created_at, i.admitted_at,
        i.admission_ends_at, exists (select from sale_ticket t
          where t.customer_id = i.customer_id and t.sale_id = i.sale_id) as has_ticket
      from order_item i join sale_queue q on q.sale_id = i.sale_id
          and not (q.closed_at is null and q.ended_at is not null)
      where ${only('i.customer_id, i.id')}`,
    holds: `admitted_at is not null and admitted_at <= created_at and created_at < admission_ends_at
      and (has_ticket or ${mayHavePrunedTicket})`,
  }),
];
