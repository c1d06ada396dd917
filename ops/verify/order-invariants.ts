import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { Databases } from '../databases/clients.js';
import {
  type Finding,
  type Invariant,
  invariantOf,
  type OffendingRow,
  offendingMax,
} from './invariant.js';

const deliveryMaxSeconds = 10;

/** The invariants of the order subgraph's database, and those that span orders and stock. */
export const orderInvariants: Invariant[] = [
  invariantOf('order', 'the total of an order is the sum of its lines', {
    select: `select o.id, o.total_amount,
        coalesce(sum(i.unit_price_amount * i.quantity), 0) as lines
      from customer_order o
        left join shop_order s on s.order_id = o.id
        left join order_item i on i.shop_order_id = s.id
      group by o.id`,
    holds: 'total_amount = lines and total_amount > 0',
  }),
  invariantOf('order', 'purchased units of a sku are the sum of the lines that are not cancelled', {
    with: `bought as (
      select o.customer_id, s.shop_id, i.sku, sum(i.quantity) as lines
      from customer_order o join shop_order s on s.order_id = o.id
        join order_item i on i.shop_order_id = s.id
      where s.status <> 'CANCELLED' group by 1, 2, 3)`,
    select: `select customer_id, shop_id, sku, coalesce(units, 0) as units, coalesce(lines, 0) as lines
      from purchase full join bought using (customer_id, shop_id, sku)`,
    holds: 'units = lines',
  }),
  invariantOf('order', 'units of an offer in carts are the sum over the counted carts', {
    with: `counted as (
      select i.offer_id, c.shard, sum(i.quantity) as lines
      from cart c join cart_item i on i.cart_id = c.id where c.counted group by 1, 2)`,
    select: `select offer_id, shard, coalesce(units, 0) as units, coalesce(lines, 0) as lines
      from units_in_carts full join counted using (offer_id, shard)`,
    holds: 'units = lines',
  }),
  invariantOf('order', 'the status of an order follows from its shop orders', {
    select: `select o.id, o.status, case
        when bool_and(s.status = 'CANCELLED') then 'CANCELLED'
        when bool_or(s.status = 'PENDING') then 'PENDING'
        when bool_or(s.status = 'CONFIRMED') then 'CONFIRMED'
        when bool_or(s.status = 'SHIPPED') then 'SHIPPED'
        when bool_or(s.status = 'DELIVERED') then 'DELIVERED' end as of_shop_orders
      from customer_order o left join shop_order s on s.order_id = o.id group by o.id`,
    holds: 'status = of_shop_orders',
  }),
  invariantOf('order', 'a paid order has one completed payment of its total, a pending one none', {
    select: `select o.id, o.status, o.total_amount,
        count(p.*) as payments, coalesce(sum(p.amount), 0) as paid
      from customer_order o left join payment p on p.order_id = o.id and (p.status = 'COMPLETED'
        -- Refunded in full with the cancelled shop orders: the remaining ones were free.
        or (p.status = 'REFUNDED' and not exists (
          select from shop_order s join order_item i on i.shop_order_id = s.id
          where s.order_id = o.id and s.status <> 'CANCELLED' and i.unit_price_amount > 0)))
      group by o.id`,
    holds: `case when status in ('CONFIRMED', 'SHIPPED', 'DELIVERED')
      then payments = 1 and paid = total_amount
      when status = 'PENDING' then payments = 0 else true end`,
  }),
  invariantOf('order', 'refunds do not exceed their payment, and equal it once it is REFUNDED', {
    select: `select p.id, p.status, p.amount, coalesce(sum(r.amount), 0) as refunded,
        coalesce(sum(r.amount) filter (where r.status = 'COMPLETED'), 0) as sent
      from payment p left join refund r on r.payment_id = p.id group by p.id`,
    holds: `refunded <= amount and (status <> 'REFUNDED' or sent = amount)`,
  }),
  invariantOf('order', 'every acknowledged checkout has an order, and every refusal was correct', {
    select: `select k.subject_id, k.outcome, o.id is not null as placed
      from idempotency_key k left join customer_order o on o.id = k.subject_id
      where k.operation = 'checkout' and k.outcome is not null`,
    holds: `case outcome->>'kind'
      when 'placed' then placed
      when 'short' then not jsonb_path_exists(outcome, '$.lines[*] ? (@.available >= @.requested)')
      else true end`,
  }),
  {
    ...invariantOf(
      'order',
      'payments of a cancelled order failed, were voided or are refunded in full',
      {
        select: `select p.id, p.order_id, p.status, p.amount,
          (select coalesce(sum(r.amount), 0) from refund r where r.payment_id = p.id) as refunded
        from payment p join customer_order o on o.id = p.order_id where o.status = 'CANCELLED'`,
        holds: `status in ('FAILED', 'VOIDED', 'REFUNDED') or (status = 'COMPLETED' and refunded = amount)`,
      },
    ),
    whenIdle: true,
  },
  {
    ...invariantOf(
      'order',
      'refunds of a paid order equal the price of its cancelled shop orders',
      {
        select: `select o.id, o.status,
          (select coalesce(sum(r.amount), 0) from payment p join refund r on r.payment_id = p.id
             where p.order_id = o.id and p.status = 'COMPLETED') as refunded,
          (select coalesce(sum(i.unit_price_amount * i.quantity), 0)
             from shop_order s join order_item i on i.shop_order_id = s.id
             where s.order_id = o.id and s.status = 'CANCELLED') as cancelled
        from customer_order o where exists (select from payment p
          where p.order_id = o.id and p.status = 'COMPLETED')`,
        holds: 'refunded = cancelled',
      },
    ),
    whenIdle: true,
  },
  ...(['product', 'shop', 'warehouse', 'order'] as const).map((name) => ({
    ...invariantOf(name, `the outbox of the ${name} subgraph is empty, without dead letters`, {
      select: `select id, topic, key, created_at, dead_at, sent_at from outbox`,
      holds: `sent_at is not null
        or (dead_at is null and created_at > now() - interval '${deliveryMaxSeconds} s')`,
    }),
    whenIdle: true,
  })),
  {
    name: 'the status of an order matches its reservation',
    whenIdle: true,
    check: ordersAndReservations,
  },
  {
    name: 'every HELD or COMMITTED reservation belongs to an order',
    whenIdle: true,
    check: reservationsWithoutOrder,
  },
];

const pageMax = 5000;

/** Reads a table by id, page by page. */
async function* pages<T extends { id: string }>(client: pg.Client, select: string) {
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const { rows } = await client.query<T>(`${select} limit ${pageMax}`, [after]);
    if (rows.length === 0) return;
    yield rows;
    after = (rows.at(-1) as T).id;
  }
}

interface OrderRow {
  id: string;
  status: string;
  quantity: number;
  /** shop → units of its shop order, if that is shipped, or cancelled */
  shipped: Record<string, number>;
  cancelled: Record<string, number>;
}
interface ReservationRow {
  id: string;
  state: string;
  quantity: number;
  /** shop → units that are shipped, and units that are cancelled */
  shipped: Record<string, number>;
  cancelled: Record<string, number>;
}

async function ordersAndReservations({ order, warehouse }: Databases): Promise<Finding> {
  let rows = 0;
  const offending: OffendingRow[] = [];
  const orders = pages<OrderRow>(
    order,
    `select o.id, o.status, coalesce(sum(s.quantity), 0)::int as quantity,
       coalesce(jsonb_object_agg(s.shop_id, s.quantity)
         filter (where s.status in ('SHIPPED', 'DELIVERED')), '{}') as shipped,
       coalesce(jsonb_object_agg(s.shop_id, s.quantity)
         filter (where s.status = 'CANCELLED'), '{}') as cancelled
     from customer_order o left join lateral (
       select shop_id, status, coalesce(sum(i.quantity), 0)::int as quantity
       from shop_order p left join order_item i on i.shop_order_id = p.id
       where p.order_id = o.id group by p.id) s on true
     where o.id > $1 group by o.id order by o.id`,
  );
  for await (const page of orders) {
    rows += page.length;
    // Between the two reads: what is unsent by now may be missing in the warehouse's database.
    const inFlight = await ordersWithUnsentEvents(order);
    const reservations = await warehouse.query<ReservationRow>(
      `select r.order_id as id, r.state, coalesce(sum(l.quantity), 0)::int as quantity,
         coalesce(jsonb_object_agg(l.shop_id, l.shipped) filter (where l.shipped > 0), '{}')
           as shipped,
         coalesce(jsonb_object_agg(l.shop_id, l.cancelled) filter (where l.cancelled > 0), '{}')
           as cancelled
       from reservation r left join (
         select order_id, shop_id, sum(quantity) as quantity, sum(shipped)::int as shipped,
           sum(cancelled)::int as cancelled
         from reservation_line join stock_level on id = level_id
         where order_id = any($1::uuid[]) group by order_id, shop_id) l on l.order_id = r.order_id
       where r.order_id = any($1::uuid[]) group by r.order_id`,
      [page.map(({ id }) => id)],
    );
    const byId = new Map(reservations.rows.map((row) => [row.id, row]));
    for (const row of page) {
      const reservation = byId.get(row.id);
      if (!inFlight.has(row.id) && !agree(row, reservation))
        offending.push({ ...row, reservation: reservation ?? null });
    }
  }
  return { rows, offending: offending.slice(0, offendingMax) };
}

/** The orders with a shipment or cancellation that the warehouse subgraph has not applied yet. */
async function ordersWithUnsentEvents(order: pg.Client): Promise<Set<string>> {
  const { rows } = await order.query<{ id: string }>(
    `select distinct payload->>'orderId' as id from outbox
     where sent_at is null and dead_at is null and consumer = 'warehouse'`,
  );
  return new Set(rows.map(({ id }) => id));
}

function agree(order: OrderRow, reservation: ReservationRow | undefined): boolean {
  if (order.status === 'PENDING') {
    return reservation?.state === 'HELD' && reservation.quantity === order.quantity;
  }
  if (order.status === 'CANCELLED' && reservation?.state !== 'COMMITTED') {
    return reservation?.state !== 'HELD';
  }
  return (
    reservation?.state === 'COMMITTED' &&
    reservation.quantity === order.quantity &&
    isDeepStrictEqual(reservation.shipped, order.shipped) &&
    isDeepStrictEqual(reservation.cancelled, order.cancelled)
  );
}

async function reservationsWithoutOrder({ order, warehouse }: Databases): Promise<Finding> {
  let rows = 0;
  const offending: OffendingRow[] = [];
  const reservations = pages<ReservationRow>(
    warehouse,
    `select order_id as id, state, 0 as quantity from reservation
     where order_id > $1 and state in ('HELD', 'COMMITTED') order by order_id`,
  );
  for await (const page of reservations) {
    rows += page.length;
    const known = await order.query<{ id: string }>(
      'select id from customer_order where id = any($1::uuid[])',
      [page.map(({ id }) => id)],
    );
    const ids = new Set(known.rows.map(({ id }) => id));
    offending.push(
      ...page.filter(({ id }) => !ids.has(id)).map(({ id, state }) => ({ id, state })),
    );
  }
  return { rows, offending: offending.slice(0, offendingMax) };
}
