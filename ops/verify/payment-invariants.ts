import {
  itemsSince,
  ordersSince,
  paymentsSince,
  refundsSince,
  shopOrdersSince,
} from './changed-orders.js';
import { type Invariant, invariantOf } from './invariant.js';

/** SQL for the amount that a refund returns, or that was returned in its place. */
const requested = `covered_by_dispute
  + case when origin = 'ORDER' then covered_by_refund else 0 end
  + case when status = 'CANCELLED' then 0 else amount end`;

/** The invariants of payments and refunds, in the order subgraph's database. */
export const paymentInvariants: Invariant[] = [
  invariantOf('order', 'a paid order has one completed payment of its total, a pending one none', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: ordersSince,
    select: (only) => `select o.customer_id, o.id, o.status, o.total_amount,
        count(p.*) as payments, coalesce(sum(p.amount), 0) as paid
      from customer_order o left join payment p
        on p.customer_id = o.customer_id and p.order_id = o.id and (p.status = 'COMPLETED'
        -- Not one to which nothing was sold: its refund belongs to no shop order.
        or (p.status = 'REFUNDED' and exists (select from refund r
          where r.customer_id = p.customer_id and r.payment_id = p.id
            and (r.origin = 'DASHBOARD' or r.shop_order_id is not null))))
      where ${only('o.customer_id, o.id')} group by o.customer_id, o.id`,
    holds: `case when status in ('CONFIRMED', 'SHIPPED', 'DELIVERED')
      then payments = 1 and paid = total_amount
      when status = 'PENDING' then payments = 0 else true end`,
  }),
  invariantOf('order', 'refunds do not exceed their payment, and equal it once it is REFUNDED', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: paymentsSince,
    select: (only) => `select p.customer_id, p.id, p.status, p.amount,
        coalesce(sum(r.amount) filter (where r.status in ('PENDING', 'SENT', 'COMPLETED')), 0)
          as refunded,
        coalesce(sum(r.amount) filter (where r.status = 'COMPLETED'), 0) as completed
      from payment p left join refund r on r.customer_id = p.customer_id and r.payment_id = p.id
      where ${only('p.customer_id, p.id')} group by p.customer_id, p.id`,
    holds: `refunded <= amount and (status = 'REFUNDED') = (completed = amount and status
      in ('COMPLETED', 'REFUNDED'))`,
  }),
  invariantOf('order', 'the refunds of a shop order do not exceed its price', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: shopOrdersSince,
    select: (
      only,
    ) => `select s.customer_id, s.id, (select coalesce(sum(unit_price_amount * quantity), 0)
           from order_item where customer_id = s.customer_id and shop_order_id = s.id) as price,
        sum(r.covered_by_dispute
          + case when r.status in ('PENDING', 'SENT', 'COMPLETED') then r.amount else 0 end)
          as refunded
      from shop_order s
        join refund r on r.customer_id = s.customer_id and r.shop_order_id = s.id
      where ${only('s.customer_id, s.id')} group by s.customer_id, s.id`,
    holds: 'refunded <= price',
  }),
  invariantOf('order', 'the price of a unit is refunded once', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: itemsSince,
    // Those of refunds that failed included, unless newer refunds have replaced them.
    select: (
      only,
    ) => `select i.customer_id, i.id, i.quantity, sum(l.quantity - l.replaced) as refunded
      from refund_line l
        join order_item i on i.customer_id = l.customer_id and i.id = l.order_item_id
      where ${only('i.customer_id, i.id')} group by i.customer_id, i.id`,
    holds: 'refunded <= quantity',
  }),
  invariantOf('order', 'a refund of lines does not exceed their price', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: refundsSince,
    select: (only) => `select r.customer_id, r.id, r.amount, r.covered_by_dispute, r.status,
        sum(i.unit_price_amount * l.quantity) as price
      from refund r join refund_line l on l.customer_id = r.customer_id and l.refund_id = r.id
        join order_item i on i.customer_id = l.customer_id and i.id = l.order_item_id
      where ${only('r.customer_id, r.id')} group by r.customer_id, r.id`,
    holds: `covered_by_dispute + case when status = 'CANCELLED' then 0 else amount end <= price`,
  }),
  invariantOf(
    'order',
    'payments of a cancelled order failed, were voided or are refunded in full',
    {
      key: { customer_id: 'uuid', id: 'uuid' },
      changed: paymentsSince,
      select: (only) => `select p.customer_id, p.id, p.order_id, p.status, p.amount,
          -- A refund that failed waits for a person.
          (select coalesce(sum(r.amount), 0) from refund r
             where r.customer_id = p.customer_id and r.payment_id = p.id
               and r.status <> 'CANCELLED') as owed,
          (select coalesce(sum(d.amount), 0) from dispute d
             where d.customer_id = p.customer_id and d.payment_id = p.id
               and d.status = 'LOST') as lost
        from payment p
          join customer_order o on o.customer_id = p.customer_id and o.id = p.order_id
        where o.status = 'CANCELLED' and ${only('p.customer_id, p.id')}`,
      holds: `status in ('FAILED', 'VOIDED', 'REFUNDED')
          or (status = 'COMPLETED' and owed + lost >= amount)`,
      // The payment worker ends it, once the provider answers.
      inProgress: `status in ('PENDING', 'AUTHORIZED')`,
    },
  ),
  invariantOf('order', 'the price of cancelled units is refunded', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: itemsSince,
    // Unless the rest of the shop order or of the payment was, as far as refunds did not fail for good.
    select: (only) => `select i.customer_id, i.id, s.order_id, i.unit_price_amount as price,
          i.cancelled_quantity as cancelled,
          coalesce((select sum(l.quantity - l.replaced) from refund_line l
            where l.customer_id = i.customer_id and l.order_item_id = i.id), 0)
            as refunded,
          (select sum(unit_price_amount * quantity) from order_item
              where customer_id = s.customer_id and shop_order_id = s.id)
            - coalesce((select sum(${requested}) from refund
                where customer_id = s.customer_id and shop_order_id = s.id), 0)
            as left_of_shop_order,
          p.amount - coalesce((select sum(${requested}) from refund
                where customer_id = p.customer_id and payment_id = p.id), 0)
            - greatest(0, (select coalesce(sum(amount), 0) from dispute
                where customer_id = p.customer_id and payment_id = p.id and status = 'LOST')
              - (select coalesce(sum(covered_by_dispute), 0) from refund
                where customer_id = p.customer_id and payment_id = p.id))
            as left_of_payment
        from order_item i
          join shop_order s on s.customer_id = i.customer_id and s.id = i.shop_order_id
          join payment p on p.customer_id = s.customer_id and p.order_id = s.order_id
            and p.status in ('COMPLETED', 'REFUNDED')
        where i.cancelled_quantity > 0 and not s.never_paid and ${only('i.customer_id, i.id')}`,
    holds: 'price = 0 or refunded >= cancelled or left_of_shop_order <= 0 or left_of_payment <= 0',
  }),
];
