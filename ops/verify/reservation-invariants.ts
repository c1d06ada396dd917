import { isDeepStrictEqual } from 'node:util';
import { reservationKeptDays } from '../../subgraphs/contracts/reservation.js';
import { noSale } from '../../subgraphs/contracts/sale.js';
import { timeOfId } from '../../subgraphs/shared/ids.js';
import type { Reader } from '../databases/clients.js';
import { ordersSince } from './changed-orders.js';
import {
  type Finding,
  type Invariant,
  type OffendingRow,
  periodOf,
  type Readers,
  type Scope,
  suspectsMax,
} from './invariant.js';
import { pages } from './pages.js';
import { reservedOrdersSince } from './stock-items-since.js';

/** The invariants between orders and their reservations, in two databases. */
export const reservationInvariants: Invariant[] = [
  {
    name: 'the status of an order matches its reservation',
    key: ['id'],
    excuses: true,
    check: ordersAndReservations,
  },
  {
    name: 'every HELD or COMMITTED reservation belongs to an order',
    key: ['id'],
    excuses: false,
    check: reservationsWithoutOrder,
  },
];

interface OrderRow {
  id: string;
  status: string;
  /** whether it has a number */
  numbered: boolean;
  /** whether its checkout, or the cancellation of one that stopped half-way, may be in progress */
  fresh: boolean;
  /** whether a payment is in progress */
  paying: boolean;
  quantity: number;
  /** shop → units of its shop order that are shipped, and units that are cancelled */
  shipped: Record<string, number>;
  cancelled: Record<string, number>;
  /** sale and SKU → units that are bought in it */
  ofSales: Record<string, number>;
}
interface ReservationRow {
  id: string;
  state: string;
  expired: boolean;
  quantity: number;
  /** shop → units that are shipped, and units that are cancelled */
  shipped: Record<string, number>;
  cancelled: Record<string, number>;
  /** sale and SKU → units that are bought in it */
  ofSales: Record<string, number>;
}

/** Not the plain condition, for which PostgreSQL would read the whole index of lines of sales. */
const isOfSale = `case when l.sale_id = '${noSale}' then false else true end`;

// An abandoned checkout is cancelled after 15 s, if warehouse answers.
const freshMinutes = 10;

const ordersSql = (only: string) => `
  select o.id, o.status, o.number is not null as numbered,
    o.number is null and o.created_at > now() - interval '${freshMinutes} minutes' as fresh,
    (select count(*) from payment p where p.customer_id = o.customer_id and p.order_id = o.id
      and p.status in ('PENDING', 'AUTHORIZED')) > 0 as paying,
    coalesce(sum(s.quantity), 0)::int as quantity,
    coalesce(jsonb_object_agg(s.shop_id, s.quantity - s.cancelled)
      filter (where s.status in ('SHIPPED', 'DELIVERED')), '{}') as shipped,
    coalesce(jsonb_object_agg(s.shop_id, s.cancelled)
      filter (where s.cancelled > 0), '{}') as cancelled,
    (select coalesce(jsonb_object_agg(bought.key, bought.units), '{}') from (
      select i.sale_id || ' ' || i.sku as key, sum(i.quantity)::int as units
      from shop_order p
        join order_item i on i.customer_id = p.customer_id and i.shop_order_id = p.id
      where p.customer_id = o.customer_id and p.order_id = o.id and i.sale_id is not null
      group by 1) bought) as "ofSales"
  from customer_order o left join lateral (
    select shop_id, status, coalesce(sum(i.quantity), 0)::int as quantity,
      coalesce(sum(i.cancelled_quantity), 0)::int as cancelled
    from shop_order p
      left join order_item i on i.customer_id = p.customer_id and i.shop_order_id = p.id
    where p.customer_id = o.customer_id and p.order_id = o.id group by p.customer_id, p.id) s on true
  where ${only} group by o.customer_id, o.id order by o.id`;

async function ordersAndReservations(
  { order, warehouse }: Readers,
  scope: Scope,
  atRest: boolean,
): Promise<Finding> {
  let rows = 0;
  const offending: OffendingRow[] = [];
  const excused: OffendingRow[] = [];
  const orders = pages<OrderRow>(order, 'o.id', ordersSql, await changedIds(scope));
  for await (const page of orders) {
    rows += page.length;
    // Between the two reads: what is unsent by now may be missing in the warehouse's database.
    const ids = page.map(({ id }) => id);
    const inFlight = await ordersWithUnsentEvents(order, 'warehouse', ids);
    const reservations = await warehouse.query<ReservationRow>(
      `select r.order_id as id, r.state, r.expires_at <= now() as expired,
         coalesce(sum(l.quantity), 0)::int as quantity,
         coalesce(jsonb_object_agg(l.shop_id, l.shipped) filter (where l.shipped > 0), '{}')
           as shipped,
         coalesce(jsonb_object_agg(l.shop_id, l.cancelled) filter (where l.cancelled > 0), '{}')
           as cancelled,
         (select coalesce(jsonb_object_agg(sold.key, sold.units), '{}') from (
           select l.sale_id || ' ' || level.sku as key, sum(l.quantity)::int as units
           from reservation_line l
             join stock_level level on level.shop_id = l.shop_id and level.id = l.level_id
           where l.order_id = r.order_id and ${isOfSale} group by 1) sold) as "ofSales"
       from reservation r left join lateral (
         select shop_id, sum(quantity) as quantity, sum(shipped)::int as shipped,
           sum(cancelled)::int as cancelled
         from reservation_line where order_id = r.order_id group by shop_id) l on true
       where r.order_id = any($1::uuid[]) group by r.order_id`,
      [ids],
    );
    const byId = new Map(reservations.rows.map((row) => [row.id, row]));
    const differ = page.filter((row) => !agree(row, byId.get(row.id)));
    const ending = await ordersWithUnsentEvents(
      warehouse,
      'order',
      differ.map(({ id }) => id),
    );
    for (const row of differ) {
      const reservation = byId.get(row.id);
      const found = { ...row, reservation: reservation ?? null };
      const isExcused =
        !atRest && (inFlight.has(row.id) || ending.has(row.id) || isInProgress(row, reservation));
      const rowsOfKind = isExcused ? excused : offending;
      if (rowsOfKind.length < suspectsMax) rowsOfKind.push(isExcused ? { id: row.id } : found);
    }
  }
  return { rows, offending, excused };

  async function changedIds(of: Scope): Promise<string[] | null> {
    if (of.of === 'all') return null;
    if (of.of === 'rows') return of.rows.map(({ id }) => id as string);
    const [changed, reserved] = await Promise.all([
      order.query<{ id: string }>(ordersSince(periodOf(of, 'order'))),
      warehouse.query<{ id: string }>(
        `select order_id as id from (${reservedOrdersSince(periodOf(of, 'warehouse'))}) as o
         where order_id is not null`,
      ),
    ]);
    return [...new Set([...changed.rows, ...reserved.rows].map(({ id }) => id))];
  }
}

/** Those of the orders with an event, such as a shipment, that the other subgraph has not applied yet. */
async function ordersWithUnsentEvents(
  reader: Reader,
  consumer: 'order' | 'warehouse',
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await reader.query<{ id: string }>(
    `select distinct payload->>'orderId' as id from outbox
     where sent_at is null and dead_at is null and consumer = $1 and payload->>'orderId' = any($2)`,
    [consumer, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

const keptMs = reservationKeptDays * 24 * 3_600_000;
/** States in which an order has no unit left to ship: its reservation is deleted some time later. */
const doneStatuses = ['SHIPPED', 'DELIVERED', 'CANCELLED'];

const haveSameUnits = (order: OrderRow, reservation: ReservationRow): boolean =>
  reservation.quantity === order.quantity && isDeepStrictEqual(reservation.ofSales, order.ofSales);

function agree(order: OrderRow, reservation: ReservationRow | undefined): boolean {
  if (!reservation && doneStatuses.includes(order.status)) {
    if (timeOfId(order.id) < Date.now() - keptMs) return true;
  }
  if (!order.numbered && reservation?.state === 'COMMITTED') return false;
  if (order.status === 'PENDING') {
    return order.numbered && reservation?.state === 'HELD' && haveSameUnits(order, reservation);
  }
  if (order.status === 'CANCELLED' && reservation?.state !== 'COMMITTED') {
    return reservation?.state !== 'HELD';
  }
  return (
    reservation?.state === 'COMMITTED' &&
    haveSameUnits(order, reservation) &&
    isDeepStrictEqual(reservation.shipped, order.shipped) &&
    isDeepStrictEqual(reservation.cancelled, order.cancelled)
  );
}

/** Whether an order and a reservation that do not agree will, once what is in progress has ended. */
function isInProgress(order: OrderRow, reservation: ReservationRow | undefined): boolean {
  if (!order.numbered) return order.fresh && reservation?.state !== 'COMMITTED';
  // The reservation is committed before the capture, which may wait for the provider.
  if (order.paying) return true;
  // A hold that could not be released ends at its expiry.
  return order.status === 'CANCELLED' && reservation?.state === 'HELD' && !reservation.expired;
}

const reservationsSql = (only: string) => `
  select order_id as id, state from reservation
  where state in ('HELD', 'COMMITTED') and ${only} order by order_id`;

async function reservationsWithoutOrder(
  { order, warehouse }: Readers,
  scope: Scope,
): Promise<Finding> {
  let rows = 0;
  const offending: OffendingRow[] = [];
  const reservations = pages<{ id: string; state: string }>(
    warehouse,
    'order_id',
    reservationsSql,
    await changedIds(scope),
  );
  for await (const page of reservations) {
    rows += page.length;
    const known = await order.query<{ id: string }>(
      'select id from customer_order where id = any($1::uuid[])',
      [page.map(({ id }) => id)],
    );
    const ids = new Set(known.rows.map(({ id }) => id));
    offending.push(...page.filter(({ id }) => !ids.has(id)));
  }
  return { rows, offending: offending.slice(0, suspectsMax), excused: [] };

  async function changedIds(of: Scope): Promise<string[] | null> {
    if (of.of === 'all') return null;
    if (of.of === 'rows') return of.rows.map(({ id }) => id as string);
    const { rows: changed } = await warehouse.query<{ id: string }>(
      `select order_id as id from (${reservedOrdersSince(periodOf(of, 'warehouse'))}) as o
       where order_id is not null`,
    );
    return changed.map(({ id }) => id);
  }
}
