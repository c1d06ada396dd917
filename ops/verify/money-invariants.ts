import { isChargeableSql, isCurrencySql } from '../../subgraphs/shared/database/money-sql.js';
import { itemsSince, ordersSince, paymentsSince, refundsSince } from './changed-orders.js';
import { type Invariant, invariantOf, madeIn, type Only, type Period, setIn } from './invariant.js';

/** SQL for the ids of new offers, and of those with events. */
const offersSince = (period: Period) => `select id from offer where ${madeIn(period, 'id')}
    union select case when pg_input_is_valid(key, 'uuid') then key::uuid end from outbox
      where ${madeIn(period, 'id')} and topic = 'shop.offer.changed'`;

/** SQL for the amounts of an order and of what belongs to it. */
const amountsOf = (only: Only) => {
  const ofPayment = (what: string, table: string, column: string) =>
    `select '${what}' as what, x.customer_id, x.id, x.${column} as amount, p.currency_code
     from ${table} x join payment p on p.customer_id = x.customer_id and p.id = x.payment_id
     where ${only('x.customer_id, x.id')}`;
  return [
    `select 'customer_order' as what, customer_id, id, total_amount as amount, currency_code
     from customer_order where ${only('customer_id, id')}`,
    `select 'order_item', customer_id, id, unit_price_amount, currency_code
     from order_item where ${only('customer_id, id')}`,
    `select 'payment', customer_id, id, amount, currency_code
     from payment where ${only('customer_id, id')}`,
    ofPayment('refund', 'refund', 'amount'),
    ofPayment('refund: covered by dispute', 'refund', 'covered_by_dispute'),
    ofPayment('refund: covered by refund', 'refund', 'covered_by_refund'),
    ofPayment('dispute', 'dispute', 'amount'),
  ].join(' union all ');
};

/**
 * Amounts and currencies are checked where they are made; these find what an older version left. A currency
 * that left the table makes no past order wrong: then its amounts have the default rule.
 */
export const moneyInvariants: Invariant[] = [
  invariantOf('shop', 'every shop and every offer has a currency that can be charged', {
    key: { id: 'uuid' },
    changed: (period) =>
      `${offersSince(period)} union select id from shop where ${madeIn(period, 'id')}`,
    select: (only) => `select id, 'shop' as what, currency_code from shop where ${only('id')}
      union all select id, 'offer', currency_code from offer where active and ${only('id')}`,
    holds: isCurrencySql('currency_code'),
  }),
  invariantOf('shop', 'every price for sale can be charged in its currency', {
    key: { id: 'uuid' },
    changed: offersSince,
    select: (only) => `select id, shop_id, price_amount, compare_at_amount, currency_code
      from offer where active and ${only('id')}`,
    holds: `${isChargeableSql('price_amount', 'currency_code')}
      and coalesce(${isChargeableSql('compare_at_amount', 'currency_code')}, true)`,
  }),
  invariantOf('order', 'every amount of an order can be charged in its currency', {
    key: { customer_id: 'uuid', id: 'uuid' },
    changed: (period) => `${ordersSince(period)} union ${itemsSince(period)}
      union ${paymentsSince(period)}
      union ${refundsSince(period)}
      union select customer_id, id from dispute
        where (customer_id, payment_id) in (${paymentsSince(period)})`,
    select: amountsOf,
    holds: isChargeableSql('amount', 'currency_code'),
  }),
  invariantOf('order', 'every amount in a cart can be charged in its currency', {
    key: { customer_id: 'uuid', offer_id: 'uuid' },
    changedWhere: (period) =>
      `customer_id in (select customer_id from cart where counted and ${setIn(period, 'updated_at')})`,
    select: (only) => `select customer_id, offer_id, id, unit_price_amount, currency_code
      from cart_item where ${only('customer_id, offer_id')}`,
    holds: isChargeableSql('unit_price_amount', 'currency_code'),
  }),
];
