import { ordersSince, paymentsSince } from './changed-orders.js';
import { type Invariant, invariantOf } from './invariant.js';

/**
 * The tables of values that are unique across customers have a row for each value in use, and no others. A row
 * without an order or payment is found by a full pass: nothing says when it was made.
 */
export const uniqueValueInvariants: Invariant[] = [
  invariantOf('order', 'the numbers of orders are those that are stored as unique', {
    key: { number: 'text', customer_id: 'uuid', id: 'uuid' },
    changed: (period) => `select number, customer_id, id from customer_order
      where number is not null and (customer_id, id) in (${ordersSince(period)})`,
    select: (only) => `select o.number, o.customer_id, o.id, true as used,
          n.number is not null as stored
        from customer_order o left join numbered_order n
          on n.number = o.number and n.customer_id = o.customer_id and n.order_id = o.id
        where o.number is not null and ${only('o.number, o.customer_id, o.id')}
      union all
      select n.number, n.customer_id, n.order_id, o.id is not null, true
        from numbered_order n left join customer_order o
          on o.customer_id = n.customer_id and o.id = n.order_id and o.number = n.number
        where ${only('n.number, n.customer_id, n.order_id')}`,
    holds: 'used and stored',
  }),
  invariantOf('order', 'the transactions of payments are those that are stored as unique', {
    key: { provider: 'text', provider_transaction_id: 'text', customer_id: 'uuid', id: 'uuid' },
    changed: (period) => `select provider, provider_transaction_id, customer_id, id from payment
      where provider_transaction_id is not null and (customer_id, id) in (${paymentsSince(period)})`,
    select: (
      only,
    ) => `select p.provider, p.provider_transaction_id, p.customer_id, p.id, true as used,
          t.payment_id is not null as stored
        from payment p left join provider_transaction t
          on t.provider = p.provider and t.provider_transaction_id = p.provider_transaction_id
            and t.customer_id = p.customer_id and t.payment_id = p.id
        where p.provider_transaction_id is not null
          and ${only('p.provider, p.provider_transaction_id, p.customer_id, p.id')}
      union all
      select t.provider, t.provider_transaction_id, t.customer_id, t.payment_id,
          p.id is not null, true
        from provider_transaction t left join payment p
          on p.customer_id = t.customer_id and p.id = t.payment_id
            and p.provider = t.provider and p.provider_transaction_id = t.provider_transaction_id
        where ${only('t.provider, t.provider_transaction_id, t.customer_id, t.payment_id')}`,
    holds: 'used and stored',
  }),
];
