import { reservationKeptDays } from '../../subgraphs/contracts/reservation.js';
import { noSale } from '../../subgraphs/contracts/sale.js';
import { type Invariant, invariantOf, type Only, type Period, setIn } from './invariant.js';
import { itemsSince, reservedOrdersSince } from './stock-items-since.js';

/** SQL for the sale items of allocations that changed: these write no movement. */
const allocatedSince = (period: Period) => `select s.shop_id, s.sale_id, s.sku
    from sale_allocation a join sale_item s using (shop_id, sale_id)
    where ${setIn(period, 'a.updated_at')}`;

const saleItemsSince = (period: Period) => `select s.shop_id, s.sale_id, s.sku
      from reservation_line rl
        join stock_level l on l.shop_id = rl.shop_id and l.id = rl.level_id
        join sale_item s on s.shop_id = l.shop_id and s.sale_id = rl.sale_id and s.sku = l.sku
      where rl.order_id = any(array(${reservedOrdersSince(period)}))
    union ${allocatedSince(period)}
    union select shop_id, sale_id, sku from stock_item
      where (shop_id, sku) in (${itemsSince(period)}) and sale_id is not null`;

const key = { shop_id: 'uuid', sale_id: 'uuid', sku: 'text' };

/** The units of reservation lines in a state; those of a sale by the index `reservation_line_sale`. */
const saleItemsWith = (only: Only, state: string) => `
  select s.shop_id, s.sale_id, s.sku, s.allocated, s.held, s.sold,
    s.created_at < now() - interval '${reservationKeptDays} days' as may_be_pruned,
    (select coalesce(sum(rl.quantity), 0) from stock_level l
       join reservation_line rl on rl.shop_id = l.shop_id and rl.level_id = l.id
         and rl.sale_id = s.sale_id and rl.sale_id <> '${noSale}'
       join reservation r on r.order_id = rl.order_id and r.state = '${state}'
     where l.shop_id = s.shop_id and l.sku = s.sku) as reserved
  from sale_item s where ${only('s.shop_id, s.sale_id, s.sku')}`;

/** The invariants of units that are allocated to sales; they hold at every commit. */
export const saleStockInvariants: Invariant[] = [
  invariantOf('warehouse', 'no sale holds and sells more units than are allocated to it', {
    key,
    changed: saleItemsSince,
    select: (only) => `select shop_id, sale_id, sku, allocated, held, sold from sale_item
      where ${only('shop_id, sale_id, sku')}`,
    holds: 'least(held, sold) >= 0 and held + sold <= allocated',
  }),
  invariantOf('warehouse', 'what is set aside of an item is what its sale neither holds nor sold', {
    key: { shop_id: 'uuid', sku: 'text' },
    changed: (period) => `${itemsSince(period)}
      union select shop_id, sku from (${allocatedSince(period)}) allocated`,
    select: (only) => `select i.shop_id, i.sku, i.sale_id, i.set_aside,
        case when i.sale_id is null then 0 else s.allocated - s.held - s.sold end as unsold
      from stock_item i left join sale_item s
        on s.shop_id = i.shop_id and s.sale_id = i.sale_id and s.sku = i.sku
      where ${only('i.shop_id, i.sku')}`,
    holds: 'set_aside = unsold',
  }),
  invariantOf('warehouse', 'the units that a sale holds are those of its HELD reservations', {
    key,
    changed: saleItemsSince,
    select: (only) => saleItemsWith(only, 'HELD'),
    holds: 'held = reserved',
  }),
  invariantOf('warehouse', 'the units that a sale has sold are those of its paid reservations', {
    key,
    changed: saleItemsSince,
    select: (only) => saleItemsWith(only, 'COMMITTED'),
    holds: 'sold = reserved or (may_be_pruned and sold > reserved)',
  }),
];
