import type { PlacingLimit } from '../../placing-limit.js';

/** Expired holds of a customer in a sale after which the next order goes to the end of the queue instead. */
export const expiredAdmissionsMax = 2;

/**
 * SQL for when an admission ends: later by as much as the sale was paused since.
 *
 * @param ticket alias of a row of `sale_ticket`
 * @param admissionMs SQL for how long an admission lasts. @param pausedMs for how long the sale was paused in all
 */
export const admissionEndsSql = (ticket: string, admissionMs: string, pausedMs: string): string =>
  `${ticket}.admitted_at
    + (${admissionMs} + greatest(0, ${pausedMs} - ${ticket}.admitted_paused_ms)) * interval '1 ms'`;

/**
 * The admission of a customer, for one open order at a time. It is decided as of the beginning of the statement, whose
 * time the lines of the order have.
 */
export const admissionLimit: PlacingLimit = {
  rows: {
    sale_pass: {
      ...{ customer_id: 'uuid', order_id: 'uuid', sale_id: 'uuid' },
      /** how long an admission lasts, and how long the sale has been paused in all, as shop decided it */
      admission_ms: 'float8',
      paused_ms: 'float8',
    },
  },
  locked: 'locked_ticket',
  lock: (after) => `locked_ticket as materialized (
    select t.customer_id, t.sale_id, t.order_id, t.expired_orders, t.admitted_at,
      ${admissionEndsSql('t', 'n.admission_ms', 'n.paused_ms')} as ends_at
    from sale_ticket t join sale_pass n using (customer_id, sale_id)
    where t.admitted_at is not null and t.left_at is null and (select count(*) from ${after}) >= 0
    order by t.sale_id, t.customer_id for update of t
  )`,
  violations: `
    select n.order_id, 'NOT_ADMITTED', null::uuid, n.sale_id, coalesce(t.expired_orders, 0),
      ${expiredAdmissionsMax}
    from sale_pass n left join locked_ticket t using (customer_id, sale_id)
    where t.admitted_at is null or t.order_id is not null
      or t.admitted_at > now() or t.ends_at <= now() or t.expired_orders >= ${expiredAdmissionsMax}`,
  count: `used_ticket as (
    update sale_ticket t set order_id = n.order_id, updated_at = now()
    from placed_sale_pass n where t.customer_id = n.customer_id and t.sale_id = n.sale_id
  )`,
};

/**
 * CTEs that return the admissions of orders which ended unpaid to their holders, and count those that expired. That of
 * a paid order is used up.
 *
 * @param lines a CTE with `customer_id`, `sale_id`, `order_id`, `status` and `expired` (0 or 1)
 * @param after a CTE whose rows are locked first
 */
export const returnTicketsCtes = (lines: string, after: string) => `
  ended_ticket as materialized (
    select t.customer_id, t.sale_id, e.order_ids, e.expired
    from (
      select customer_id, sale_id, array_agg(order_id) as order_ids, sum(expired) as expired
      from (select distinct customer_id, sale_id, order_id, expired from ${lines}
        where status = 'CANCELLED' and sale_id is not null) as ended
      where (select count(*) from ${after}) >= 0 group by 1, 2) e
      join sale_ticket t using (customer_id, sale_id)
    order by t.sale_id, t.customer_id for update of t
  ), returned_ticket as (
    update sale_ticket t set expired_orders = t.expired_orders + e.expired,
      order_id = case when t.order_id = any(e.order_ids) then null else t.order_id end,
      returned_xid = pg_current_xact_id(), updated_at = now()
    from ended_ticket e where t.customer_id = e.customer_id and t.sale_id = e.sale_id
  )`;
