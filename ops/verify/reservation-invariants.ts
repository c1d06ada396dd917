import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { reservationKeptDays } from '../../subgraphs/contracts/reservation.js';
import { timeOfId } from '../../subgraphs/shared/ids.js';
import type { Databases } from '../databases/clients.js';
import { type Finding, type Invariant, type OffendingRow, offendingMax } from './invariant.js';

/** The invariants between orders and their reservations, in two databases. */
export const reservationInvariants: Invariant[] = [
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
  /** whether it has a number */
  numbered: boolean;
  quantity: number;
  /** shop → units of its shop order that are shipped, and units that are cancelled */
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
    `select o.id, o.status, o.number is not null as numbered,
       coalesce(sum(s.quantity), 0)::int as quantity,
       coalesce(jsonb_object_agg(s.shop_id, s.quantity - s.cancelled)
         filter (where s.status in ('SHIPPED', 'DELIVERED')), '{}') as shipped,
       coalesce(jsonb_object_agg(s.shop_id, s.cancelled)
         filter (where s.cancelled > 0), '{}') as cancelled
     from customer_order o left join lateral (
       select shop_id, status, coalesce(sum(i.quantity), 0)::int as quantity,
         coalesce(sum(i.cancelled_quantity), 0)::int as cancelled
       from shop_order p left join order_item i
         on i.customer_id = p.customer_id and i.shop_order_id = p.id
       where p.customer_id = o.customer_id and p.order_id = o.id
       group by p.customer_id, p.id) s on true
     where o.id > $1 group by o.customer_id, o.id order by o.id`,
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
         from reservation_line where order_id = any($1::uuid[]) group by order_id, shop_id) l on l.order_id = r.order_id
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

const keptMs = reservationKeptDays * 24 * 3_600_000;
/** States in which an order has no unit left to ship: its reservation is deleted some time later. */
const doneStatuses = ['SHIPPED', 'DELIVERED', 'CANCELLED'];

function agree(order: OrderRow, reservation: ReservationRow | undefined): boolean {
  if (!reservation && doneStatuses.includes(order.status)) {
    if (timeOfId(order.id) < Date.now() - keptMs) return true;
  }
  if (!order.numbered && reservation?.state === 'COMMITTED') return false;
  if (order.status === 'PENDING') {
    return (
      order.numbered && reservation?.state === 'HELD' && reservation.quantity === order.quantity
    );
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
