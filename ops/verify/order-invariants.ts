import { type Invariant, invariantOf } from './invariant.js';
import { reservationInvariants } from './reservation-invariants.js';

const deliveryMaxSeconds = 10;

/** The invariants of the order subgraph's database, and those that span orders and stock. */
export const orderInvariants: Invariant[] = [
  invariantOf('order', 'the total of an order is the sum of its lines', {
    select: `select o.id, o.total_amount,
        coalesce(sum(i.unit_price_amount * i.quantity), 0) as lines
      from customer_order o
        left join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
        left join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      group by o.customer_id, o.id`,
    holds: 'total_amount = lines and total_amount > 0',
  }),
  invariantOf('order', 'purchased units of a sku are the sum of the units that are not cancelled', {
    with: `bought as (
      select o.customer_id, s.shop_id, i.sku, sum(i.quantity - i.cancelled_quantity) as lines
      from customer_order o join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
        join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where s.status <> 'CANCELLED' group by 1, 2, 3)`,
    select: `select customer_id, shop_id, sku, coalesce(units, 0) as units, coalesce(lines, 0) as lines
      from purchase full join bought using (customer_id, shop_id, sku)`,
    holds: 'units = lines',
  }),
  invariantOf('order', 'units of an offer in carts are the sum over the counted carts', {
    with: `counted as (
      select i.offer_id, c.shard, sum(i.quantity) as lines
      from cart c join cart_item i on i.customer_id = c.customer_id where c.counted group by 1, 2)`,
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
      from customer_order o left join shop_order s on s.customer_id = o.customer_id and s.order_id = o.id
      group by o.customer_id, o.id`,
    holds: 'status = of_shop_orders',
  }),
  invariantOf('order', 'an order whose stock was held, or that is paid for, has a number', {
    select: `select o.id, o.number, o.status, o.expires_at,
        exists (select from payment p
          where p.customer_id = o.customer_id and p.order_id = o.id) as has_payment
      from customer_order o`,
    holds: `number is not null
      or (expires_at is null and status in ('PENDING', 'CANCELLED') and not has_payment)`,
  }),
  invariantOf('order', 'a paid shop order is CANCELLED once none of its units is left', {
    select: `select s.id, s.status, sum(i.quantity) as quantity, sum(i.cancelled_quantity) as cancelled
      from shop_order s join order_item i on i.customer_id = s.customer_id and i.shop_order_id = s.id
      where not s.never_paid group by s.customer_id, s.id`,
    holds: `(status = 'CANCELLED') = (cancelled = quantity)
      and (cancelled = 0 or status <> 'PENDING')`,
  }),
  invariantOf('order', 'a paid order has one completed payment of its total, a pending one none', {
    select: `select o.id, o.status, o.total_amount,
        count(p.*) as payments, coalesce(sum(p.amount), 0) as paid
      from customer_order o left join payment p
        on p.customer_id = o.customer_id and p.order_id = o.id and (p.status = 'COMPLETED'
        -- Not one to which nothing was sold: its refund belongs to no shop order.
        or (p.status = 'REFUNDED' and exists (select from refund r
          where r.customer_id = p.customer_id and r.payment_id = p.id and (r.origin = 'DASHBOARD' or r.shop_order_id is not null))))
      group by o.customer_id, o.id`,
    holds: `case when status in ('CONFIRMED', 'SHIPPED', 'DELIVERED')
      then payments = 1 and paid = total_amount
      when status = 'PENDING' then payments = 0 else true end`,
  }),
  invariantOf('order', 'refunds do not exceed their payment, and equal it once it is REFUNDED', {
    select: `select p.id, p.status, p.amount,
        coalesce(sum(r.amount) filter (where r.status in ('PENDING', 'SENT', 'COMPLETED')), 0)
          as refunded,
        coalesce(sum(r.amount) filter (where r.status = 'COMPLETED'), 0) as completed
      from payment p left join refund r on r.customer_id = p.customer_id and r.payment_id = p.id
      group by p.customer_id, p.id`,
    holds: `refunded <= amount and (status = 'REFUNDED') = (completed = amount and status
      in ('COMPLETED', 'REFUNDED'))`,
  }),
  invariantOf('order', 'the refunds of a shop order do not exceed its price', {
    select: `select s.id, (select coalesce(sum(unit_price_amount * quantity), 0) from order_item
           where customer_id = s.customer_id and shop_order_id = s.id) as price,
        sum(r.covered_by_dispute
          + case when r.status in ('PENDING', 'SENT', 'COMPLETED') then r.amount else 0 end)
          as refunded
      from shop_order s join refund r on r.customer_id = s.customer_id and r.shop_order_id = s.id
      group by s.customer_id, s.id`,
    holds: 'refunded <= price',
  }),
  invariantOf('order', 'the price of a unit is refunded once', {
    // Those of refunds that failed included, unless newer refunds have replaced them.
    select: `select i.id, i.quantity, sum(l.quantity - l.replaced) as refunded
      from refund_line l
        join order_item i on i.customer_id = l.customer_id and i.id = l.order_item_id
      group by i.customer_id, i.id`,
    holds: 'refunded <= quantity',
  }),
  invariantOf('order', 'a refund of lines does not exceed their price', {
    select: `select r.id, r.amount, r.covered_by_dispute, r.status,
        sum(i.unit_price_amount * l.quantity) as price
      from refund r join refund_line l on l.customer_id = r.customer_id and l.refund_id = r.id
        join order_item i on i.customer_id = l.customer_id and i.id = l.order_item_id
      group by r.customer_id, r.id`,
    holds: `covered_by_dispute + case when status = 'CANCELLED' then 0 else amount end <= price`,
  }),
  invariantOf('order', 'a shop order is hidden from its shop only if its order ended unpaid', {
    select: `select s.id, s.status, s.never_paid, exists (select from order_event e
        where e.customer_id = s.customer_id and e.order_id = s.order_id and e.type = 'CONFIRMED') as paid from shop_order s`,
    holds: `not never_paid or (status = 'CANCELLED' and not paid)`,
  }),
  invariantOf('order', 'every acknowledged checkout has an order, and every refusal was correct', {
    select: `select k.subject_id, k.outcome, o.number is not null as placed
      from idempotency_key k left join customer_order o on o.customer_id = k.user_id and o.id = k.subject_id
      where k.operation = 'checkout' and k.outcome is not null`,
    holds: `case outcome->>'kind'
      when 'placed' then placed
      when 'expired' then placed
      when 'short' then not placed
        and not jsonb_path_exists(outcome, '$.lines[*] ? (@.available >= @.requested)')
      else not placed end`,
  }),
  {
    ...invariantOf(
      'order',
      'payments of a cancelled order failed, were voided or are refunded in full',
      {
        select: `select p.id, p.order_id, p.status, p.amount,
          -- A refund that failed waits for a person.
          (select coalesce(sum(r.amount), 0) from refund r
             where r.customer_id = p.customer_id and r.payment_id = p.id and r.status <> 'CANCELLED') as owed,
          (select coalesce(sum(d.amount), 0) from dispute d
             where d.customer_id = p.customer_id and d.payment_id = p.id and d.status = 'LOST') as lost
        from payment p join customer_order o
          on o.customer_id = p.customer_id and o.id = p.order_id where o.status = 'CANCELLED'`,
        holds: `status in ('FAILED', 'VOIDED', 'REFUNDED')
          or (status = 'COMPLETED' and owed + lost >= amount)`,
      },
    ),
    whenIdle: true,
  },
  {
    ...invariantOf('order', 'the price of cancelled units is refunded', {
      // Unless the rest of the shop order or of the payment was, as far as refunds did not fail for good.
      with: `requested as (
        select customer_id, payment_id, shop_order_id, origin, covered_by_dispute + case when origin = 'ORDER'
          then covered_by_refund else 0 end + case when status = 'CANCELLED' then 0 else amount end
          as amount
        from refund)`,
      select: `select i.id, s.order_id, i.unit_price_amount as price, i.cancelled_quantity as cancelled,
          coalesce((select sum(l.quantity - l.replaced) from refund_line l
            where l.customer_id = i.customer_id and l.order_item_id = i.id), 0)
            as refunded,
          (select sum(unit_price_amount * quantity) from order_item
            where customer_id = s.customer_id and shop_order_id = s.id)
            - coalesce((select sum(amount) from requested r
              where r.customer_id = s.customer_id and r.shop_order_id = s.id), 0)
            as left_of_shop_order,
          p.amount - coalesce((select sum(amount) from requested r
              where r.customer_id = p.customer_id and r.payment_id = p.id), 0)
            - greatest(0, (select coalesce(sum(amount), 0) from dispute
                where customer_id = p.customer_id and payment_id = p.id and status = 'LOST')
              - (select coalesce(sum(covered_by_dispute), 0) from refund
                where customer_id = p.customer_id and payment_id = p.id))
            as left_of_payment
        from order_item i
          join shop_order s on s.customer_id = i.customer_id and s.id = i.shop_order_id
          join payment p on p.customer_id = s.customer_id and p.order_id = s.order_id and p.status in ('COMPLETED', 'REFUNDED')
        where i.cancelled_quantity > 0 and not s.never_paid`,
      holds:
        'price = 0 or refunded >= cancelled or left_of_shop_order <= 0 or left_of_payment <= 0',
    }),
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
  ...reservationInvariants,
];
