import { type Invariant, invariantOf, madeIn, type Period } from './invariant.js';
import { clockSkew, idBefore, levelsSince } from './ledger-invariants.js';

/** SQL for the keys, (shop_id, id), of transfers with movements since, and of new ones. */
const transfersSince = (period: Period) => `select distinct shop_id, case
      when pg_input_is_valid(reference, 'uuid') then reference::uuid end as id
    from stock_movement where ${madeIn(period, 'id')} and reference is not null
      and type in ('TRANSFER_OUT', 'TRANSFER_IN', 'ADJUSTMENT')
    union select shop_id, id from stock_transfer where ${madeIn(period, 'id')}`;

/** The invariants of transfers between warehouses; they hold at every commit. */
export const transferInvariants: Invariant[] = [
  invariantOf('warehouse', 'incoming is the sum of units in transit', {
    key: { shop_id: 'uuid', id: 'uuid' },
    changed: (period) => `${levelsSince(period)} union select l.shop_id, l.id
      from stock_transfer t
        join transfer_line tl on tl.shop_id = t.shop_id and tl.transfer_id = t.id
        join stock_level l
          on l.shop_id = t.shop_id and l.warehouse_id = t.to_id and l.sku = tl.sku
      where (t.shop_id, t.id) in (${transfersSince(period)})`,
    select: (only) => `select l.shop_id, l.id, l.sku, l.incoming,
        coalesce(sum(t.quantity - t.received - t.returned - t.missing), 0) as in_transit
      from stock_level l
        left join (select t.to_id, tl.* from transfer_line tl
                     join stock_transfer t on t.shop_id = tl.shop_id and t.id = tl.transfer_id
                   where t.status = 'IN_TRANSIT') t
          on t.shop_id = l.shop_id and t.to_id = l.warehouse_id and t.sku = l.sku
      where ${only('l.shop_id, l.id')} group by l.shop_id, l.id`,
    holds: 'incoming = in_transit',
  }),
  invariantOf(
    'warehouse',
    'every unit of a transfer is received, returned, missing or in transit',
    {
      key: { shop_id: 'uuid', transfer_id: 'uuid', sku: 'text' },
      changed: (period) => `select shop_id, transfer_id, sku from transfer_line
        where (shop_id, transfer_id) in (${transfersSince(period)})`,
      select: (
        only,
      ) => `select t.shop_id, t.transfer_id, t.sku, t.status, t.quantity, t.received, t.returned, t.missing,
        -coalesce(sum(m.on_hand_delta) filter (where m.type = 'TRANSFER_OUT'
          and m.warehouse_id = t.from_id), 0) as sent,
        coalesce(sum(m.on_hand_delta) filter (where m.type = 'TRANSFER_IN'
          and m.warehouse_id = t.to_id), 0) as arrived,
        coalesce(sum(m.on_hand_delta) filter (where m.type = 'TRANSFER_IN'
          and m.warehouse_id = t.from_id), 0) as sent_back,
        -coalesce(sum(m.on_hand_delta) filter (where m.type = 'ADJUSTMENT'), 0) as written_off,
        (select count(*) from ledger_checkpoint c
           join stock_level l on l.shop_id = c.shop_id and l.id = c.level_id
         where l.shop_id = t.shop_id and l.sku = t.sku and l.warehouse_id in (t.from_id, t.to_id)
           and c.id > t.transfer_id) > 0 as may_be_detached
      from (select t.status, t.from_id, t.to_id, tl.* from transfer_line tl
              join stock_transfer t on t.shop_id = tl.shop_id and t.id = tl.transfer_id) t
        -- \`offset 0\`: by the reference, in the partitions since the transfer, and not by the level in all of them.
        left join lateral (select m.type, m.on_hand_delta, l.warehouse_id, l.sku
                   from stock_movement m
                     join stock_level l on l.shop_id = m.shop_id and l.id = m.level_id
                   where m.reference = t.transfer_id::text and m.shop_id = t.shop_id
                     and m.id >= ${idBefore('t.transfer_id', clockSkew)} offset 0) m on m.sku = t.sku
      where ${only('t.shop_id, t.transfer_id, t.sku')}
      group by t.shop_id, t.transfer_id, t.sku, t.from_id, t.to_id, t.status, t.quantity, t.received, t.returned, t.missing`,
      holds: `may_be_detached or sent = quantity and arrived = received + missing and sent_back = returned
      and written_off = missing and (status = 'IN_TRANSIT' or received + returned + missing = quantity)`,
    },
  ),
  invariantOf('warehouse', 'every movement of a transfer has a transfer line', {
    key: { shop_id: 'uuid', level_id: 'uuid', id: 'uuid' },
    changedWhere: (period) => madeIn(period, 'm.id'),
    select: (only) => `select m.shop_id, m.level_id, m.id, m.type, m.reference, (select true
        from stock_level l join transfer_line t on t.shop_id = l.shop_id and t.sku = l.sku
        where l.shop_id = m.shop_id and l.id = m.level_id and t.transfer_id = case
          when pg_input_is_valid(m.reference, 'uuid') then m.reference::uuid end) as has_line
      from stock_movement m
      where m.type in ('TRANSFER_OUT', 'TRANSFER_IN') and ${only('m.shop_id, m.level_id, m.id')}`,
    holds: 'has_line',
  }),
];
