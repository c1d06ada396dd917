import { reservationKeptDays } from '../../subgraphs/contracts/reservation.js';
import { availableUnitsSql, shortfallSql } from '../../subgraphs/warehouse/stock/level-units.js';
import { type Invariant, invariantOf, madeIn } from './invariant.js';
import { clockSkew, idBefore, ledgerInvariants, levelsSince } from './ledger-invariants.js';
import { saleStockInvariants } from './sale-stock-invariants.js';
import { itemsSince, orderTypes, reservedOrdersSince } from './stock-items-since.js';
import { transferInvariants } from './transfer-invariants.js';

const overdueMaxSeconds = 5;

/** The invariants of the warehouse subgraph's database; they hold at every commit. */
export const stockInvariants: Invariant[] = [
  invariantOf('warehouse', 'no level has units below 0, or more unavailable than on hand', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select shop_id, id, sku, on_hand, reserved, committed, unavailable, buffer
      from stock_level where ${only('shop_id, id')}`,
    holds: `least(on_hand, reserved, committed, unavailable, buffer) >= 0
      and unavailable <= on_hand`,
  }),
  invariantOf('warehouse', 'the shortfall of a level is what is promised beyond its units', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select shop_id, id, sku, on_hand, reserved, committed, unavailable, shortfall
      from stock_level where ${only('shop_id, id')}`,
    holds: `shortfall = ${shortfallSql()}`,
  }),
  ...ledgerInvariants,
  invariantOf('warehouse', 'reserved is the sum of HELD reservations', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select l.shop_id, l.id, l.sku, l.reserved,
        coalesce(sum(rl.quantity) filter (where r.state = 'HELD'), 0) as held
      from stock_level l
        left join reservation_line rl on rl.shop_id = l.shop_id and rl.level_id = l.id
          and rl.quantity > rl.shipped + rl.cancelled
        left join reservation r on r.order_id = rl.order_id
      where ${only('l.shop_id, l.id')} group by l.shop_id, l.id`,
    holds: 'reserved = held',
  }),
  invariantOf('warehouse', 'committed is the sum of paid units not shipped or cancelled', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select l.shop_id, l.id, l.sku, l.committed,
        coalesce(sum(rl.quantity - rl.shipped - rl.cancelled)
          filter (where r.state = 'COMMITTED'), 0) as open
      from stock_level l
        left join reservation_line rl on rl.shop_id = l.shop_id and rl.level_id = l.id
          and rl.quantity > rl.shipped + rl.cancelled
        left join reservation r on r.order_id = rl.order_id
      where ${only('l.shop_id, l.id')} group by l.shop_id, l.id`,
    holds: 'committed = open',
  }),
  // An order may have two lines on a level, of regular units and of a sale, with the same movements.
  invariantOf('warehouse', 'every reservation line is the sum of its movements', {
    key: { order_id: 'uuid', shop_id: 'uuid', level_id: 'uuid' },
    changed: (period) => `select order_id, shop_id, level_id from reservation_line
        where order_id in (${reservedOrdersSince(period)})
      union select order_id, shop_id, level_id from reservation_line where ${madeIn(period, 'order_id')}`,
    select: (
      only,
    ) => `select rl.order_id, rl.shop_id, rl.level_id, r.state, rl.quantity, rl.shipped,
        rl.cancelled,
        coalesce(sum(m.reserved_delta), 0) as reserved,
        coalesce(sum(m.committed_delta), 0) as committed,
        coalesce(-sum(m.on_hand_delta) filter (where m.type = 'SHIPMENT'), 0) as moved_out,
        count(*) filter (where m.type = 'RESERVATION') as made,
        (select count(*) from ledger_checkpoint c where c.shop_id = rl.shop_id
          and c.level_id = rl.level_id and c.id > rl.order_id) > 0 as may_be_detached
      from (
          select order_id, shop_id, level_id, sum(quantity) as quantity, sum(shipped) as shipped,
            sum(cancelled) as cancelled
          from reservation_line where ${only('order_id, shop_id, level_id')}
          group by order_id, shop_id, level_id) rl
        left join reservation r on r.order_id = rl.order_id
        left join stock_movement m on m.reference = rl.order_id::text
          and m.shop_id = rl.shop_id and m.level_id = rl.level_id
          and m.id >= ${idBefore('rl.order_id', clockSkew)}
      group by rl.order_id, rl.shop_id, rl.level_id, rl.quantity, rl.shipped, rl.cancelled, r.state`,
    holds: `state is not null and (may_be_detached
      or reserved = case when state = 'HELD' then quantity else 0 end
      and committed = case when state = 'COMMITTED' then quantity - shipped - cancelled else 0 end
      and moved_out = shipped and (state = 'COMMITTED' or shipped + cancelled = 0)
      and made <= 1 and (made = 1 or state = 'COMMITTED'))`,
  }),
  invariantOf('warehouse', 'every movement of an order has a reservation line', {
    key: { shop_id: 'uuid', level_id: 'uuid', id: 'uuid' },
    changedWhere: (period) => madeIn(period, 'm.id'),
    select: (only) => `select m.shop_id, m.level_id, m.id, m.type, m.reference, (select true
          from reservation_line rl where rl.order_id = o.id
            and rl.shop_id = m.shop_id and rl.level_id = m.level_id limit 1) as has_line,
        coalesce(uuid_extract_timestamp(o.id)
          < now() - interval '${reservationKeptDays} days', false) as may_be_pruned
      from stock_movement m cross join lateral (select case
        when pg_input_is_valid(m.reference, 'uuid') then m.reference::uuid end as id) o
      where m.type in ${orderTypes} and ${only('m.shop_id, m.level_id, m.id')}`,
    holds: 'has_line or may_be_pruned',
  }),
  invariantOf('warehouse', 'the shops of a reservation are those of its lines', {
    key: { order_id: 'uuid' },
    changed: reservedOrdersSince,
    select: (only) => `select r.order_id, r.state, r.shop_ids, array(select distinct l.shop_id
          from reservation_line l where l.order_id = r.order_id) as shops_of_lines
      from reservation r where ${only('r.order_id')}`,
    holds: 'shop_ids @> shops_of_lines and shop_ids <@ shops_of_lines',
  }),
  invariantOf('warehouse', 'no reservation is HELD more than 5 s after its expiry', {
    key: { order_id: 'uuid' },
    changedWhere: () => 'expires_at < now()',
    select: (only) => `select order_id, expires_at from reservation
      where state = 'HELD' and ${only('order_id')}`,
    holds: `expires_at > now() - interval '${overdueMaxSeconds} s'`,
  }),
  invariantOf('warehouse', 'available is the sum of the free units in active warehouses', {
    key: { shop_id: 'uuid', sku: 'text' },
    changed: itemsSince,
    select: (only) => `select i.shop_id, i.sku, i.available,
        coalesce(sum(${availableUnitsSql('l.')}) filter (where w.active), 0) as sellable
      from stock_item i
        left join stock_level l on l.shop_id = i.shop_id and l.sku = i.sku
        left join warehouse w on w.shop_id = l.shop_id and w.id = l.warehouse_id
      where ${only('i.shop_id, i.sku')} group by i.shop_id, i.sku`,
    holds: 'available = sellable',
  }),
  invariantOf('warehouse', 'the last event of a warehouse says whether it is active', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: (period) => `select shop_id, id from warehouse where ${madeIn(period, 'id')}
      union select shop_id, warehouse_id from warehouse_event where ${madeIn(period, 'id')}`,
    select: (only) => `select w.shop_id, w.id, w.active, e.type from warehouse w left join lateral (
        select type from warehouse_event where shop_id = w.shop_id and warehouse_id = w.id
        order by id desc limit 1) e on true
      where ${only('w.shop_id, w.id')}`,
    holds: `active = (type = 'ACTIVATED')`,
  }),
  invariantOf('warehouse', 'every level belongs to an item of its shop', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: levelsSince,
    select: (only) => `select l.shop_id, l.id, i.sku is not null as has_item
      from stock_level l
        left join stock_item i on i.shop_id = l.shop_id and i.sku = l.sku
      where ${only('l.shop_id, l.id')}`,
    holds: 'has_item',
  }),
  ...transferInvariants,
  ...saleStockInvariants,
];
