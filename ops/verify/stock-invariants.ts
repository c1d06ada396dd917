import { reservationKeptDays } from '../../subgraphs/contracts/reservation.js';
import { availableUnitsSql, shortfallSql } from '../../subgraphs/warehouse/stock/level-units.js';
import { type Invariant, invariantOf } from './invariant.js';

const overdueMaxSeconds = 5;

/** The invariants of the warehouse subgraph's database; they hold at every commit. */
export const stockInvariants: Invariant[] = [
  invariantOf('warehouse', 'no level has units below 0, or more unavailable than on hand', {
    select: `select id, sku, on_hand, reserved, committed, unavailable, buffer from stock_level`,
    holds: `least(on_hand, reserved, committed, unavailable, buffer) >= 0
      and unavailable <= on_hand`,
  }),
  invariantOf('warehouse', 'the shortfall of a level is what is promised beyond its units', {
    select: `select id, sku, on_hand, reserved, committed, unavailable, shortfall
      from stock_level`,
    holds: `shortfall = ${shortfallSql()}`,
  }),
  invariantOf('warehouse', 'every level is the sum of its movements', {
    select: `select l.id, l.sku, l.on_hand, l.reserved, l.committed, l.unavailable,
        coalesce(sum(m.on_hand_delta), 0) as on_hand_moved,
        coalesce(sum(m.reserved_delta), 0) as reserved_moved,
        coalesce(sum(m.committed_delta), 0) as committed_moved,
        coalesce(sum(m.unavailable_delta), 0) as unavailable_moved
      from stock_level l left join stock_movement m on m.shop_id = l.shop_id and m.level_id = l.id group by l.shop_id, l.id`,
    holds: `on_hand = on_hand_moved and reserved = reserved_moved
      and committed = committed_moved and unavailable = unavailable_moved`,
  }),
  invariantOf('warehouse', 'reserved is the sum of HELD reservations', {
    select: `select l.id, l.sku, l.reserved,
        coalesce(sum(rl.quantity) filter (where r.state = 'HELD'), 0) as held
      from stock_level l
        left join reservation_line rl on rl.shop_id = l.shop_id and rl.level_id = l.id
        left join reservation r on r.order_id = rl.order_id
      group by l.shop_id, l.id`,
    holds: 'reserved = held',
  }),
  invariantOf('warehouse', 'committed is the sum of paid units not shipped or cancelled', {
    select: `select l.id, l.sku, l.committed,
        coalesce(sum(rl.quantity - rl.shipped - rl.cancelled)
          filter (where r.state = 'COMMITTED'), 0) as open
      from stock_level l
        left join reservation_line rl on rl.shop_id = l.shop_id and rl.level_id = l.id
        left join reservation r on r.order_id = rl.order_id
      group by l.shop_id, l.id`,
    holds: 'committed = open',
  }),
  invariantOf('warehouse', 'every reservation line is the sum of its movements', {
    select: `select rl.order_id, rl.level_id, r.state, rl.quantity, rl.shipped, rl.cancelled,
        coalesce(sum(m.reserved_delta), 0) as reserved,
        coalesce(sum(m.committed_delta), 0) as committed,
        coalesce(-sum(m.on_hand_delta) filter (where m.type = 'SHIPMENT'), 0) as moved_out,
        count(*) filter (where m.type = 'RESERVATION') as made
      from reservation_line rl
        join reservation r on r.order_id = rl.order_id
        left join stock_movement m on m.reference = rl.order_id::text
          and m.shop_id = rl.shop_id and m.level_id = rl.level_id
      group by rl.order_id, rl.shop_id, rl.level_id, r.state`,
    holds: `reserved = case when state = 'HELD' then quantity else 0 end
      and committed = case when state = 'COMMITTED' then quantity - shipped - cancelled else 0 end
      and moved_out = shipped and (state = 'COMMITTED' or shipped + cancelled = 0)
      and made <= 1 and (made = 1 or state = 'COMMITTED')`,
  }),
  invariantOf('warehouse', 'every movement of an order has a reservation line', {
    select: `select m.id, m.type, m.reference, rl.order_id is not null as has_line,
        coalesce(uuid_extract_timestamp(m.reference::uuid) < now()
          - interval '${reservationKeptDays} days', false) as may_be_pruned
      from stock_movement m left join reservation_line rl
        on rl.order_id::text = m.reference and rl.level_id = m.level_id
      where m.type in ('RESERVATION', 'RELEASE', 'COMMIT', 'UNCOMMIT', 'SHIPMENT')`,
    holds: 'has_line or may_be_pruned',
  }),
  invariantOf('warehouse', 'units shipped do not exceed units received', {
    select: `select l.shop_id, l.sku,
        coalesce(-sum(m.on_hand_delta) filter (where m.type in ('SHIPMENT', 'RETURN')), 0)
          as shipped,
        coalesce(sum(m.on_hand_delta) filter (where m.type in ('RECEIPT', 'ADJUSTMENT')), 0)
          as received
      from stock_level l join stock_movement m on m.shop_id = l.shop_id and m.level_id = l.id group by l.shop_id, l.sku`,
    holds: 'shipped <= received',
  }),
  invariantOf('warehouse', 'no reservation is HELD more than 5 s after its expiry', {
    select: `select order_id, expires_at from reservation where state = 'HELD'`,
    holds: `expires_at > now() - interval '${overdueMaxSeconds} s'`,
  }),
  invariantOf('warehouse', 'available is the sum of the free units in active warehouses', {
    select: `select i.shop_id, i.sku, i.available,
        coalesce(sum(${availableUnitsSql('l.')}) filter (where w.active), 0) as sellable
      from stock_item i
        left join stock_level l on l.shop_id = i.shop_id and l.sku = i.sku
        left join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id
      group by i.shop_id, i.sku`,
    holds: 'available = sellable',
  }),
  invariantOf('warehouse', 'the last event of a warehouse says whether it is active', {
    select: `select w.id, w.active, e.type from warehouse w left join lateral (
        select type from warehouse_event where warehouse_id = w.id order by id desc limit 1) e on true`,
    holds: `active = (type = 'ACTIVATED')`,
  }),
  invariantOf('warehouse', 'every level belongs to an item of its shop', {
    select: `select l.id, w.shop_id = l.shop_id as same_shop, i.sku is not null as has_item
      from stock_level l join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id
        left join stock_item i on i.shop_id = l.shop_id and i.sku = l.sku`,
    holds: 'same_shop and has_item',
  }),
  invariantOf('warehouse', 'incoming is the sum of units in transit', {
    select: `select l.id, l.sku, l.incoming,
        coalesce(sum(t.quantity - t.received - t.returned - t.missing), 0) as in_transit
      from stock_level l
        left join (select t.to_id, tl.* from transfer_line tl join stock_transfer t
                       on t.shop_id = tl.shop_id and t.id = tl.transfer_id where status = 'IN_TRANSIT') t
          on t.to_id = l.warehouse_id and t.sku = l.sku
      group by l.shop_id, l.id`,
    holds: 'incoming = in_transit',
  }),
  invariantOf(
    'warehouse',
    'every unit of a transfer is received, returned, missing or in transit',
    {
      select: `select t.transfer_id, t.sku, t.status, t.quantity, t.received, t.returned, t.missing,
        -coalesce(sum(m.on_hand_delta) filter (where m.type = 'TRANSFER_OUT'
          and m.warehouse_id = t.from_id), 0) as sent,
        coalesce(sum(m.on_hand_delta) filter (where m.type = 'TRANSFER_IN'
          and m.warehouse_id = t.to_id), 0) as arrived,
        coalesce(sum(m.on_hand_delta) filter (where m.type = 'TRANSFER_IN'
          and m.warehouse_id = t.from_id), 0) as sent_back,
        -coalesce(sum(m.on_hand_delta) filter (where m.type = 'ADJUSTMENT'), 0) as written_off
      from (select t.status, t.from_id, t.to_id, tl.* from transfer_line tl
              join stock_transfer t on t.shop_id = tl.shop_id and t.id = tl.transfer_id) t
        left join (select m.reference, m.type, m.on_hand_delta, l.warehouse_id, l.sku from stock_movement m
                     join stock_level l on l.shop_id = m.shop_id and l.id = m.level_id) m
          on m.reference = t.transfer_id::text and m.sku = t.sku
      group by t.transfer_id, t.sku, t.status, t.quantity, t.received, t.returned, t.missing`,
      holds: `sent = quantity and arrived = received + missing and sent_back = returned
      and written_off = missing and (status = 'IN_TRANSIT' or received + returned + missing = quantity)`,
    },
  ),
  invariantOf('warehouse', 'every movement of a transfer has a transfer line', {
    select: `select m.id, m.type, m.reference, t.sku is not null as has_line
      from stock_movement m join stock_level l on l.id = m.level_id
        left join transfer_line t on t.transfer_id::text = m.reference and t.sku = l.sku
      where m.type in ('TRANSFER_OUT', 'TRANSFER_IN')`,
    holds: 'has_line',
  }),
];
