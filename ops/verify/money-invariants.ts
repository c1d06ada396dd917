import { isChargeableSql, isCurrencySql } from '../../subgraphs/shared/database/money-sql.js';
import { type Invariant, invariantOf } from './invariant.js';

/**
 * Amounts and currencies are checked where they are made; these find what an older version left. A currency
 * that left the table makes no past order wrong: then its amounts have the default rule.
 */
export const moneyInvariants: Invariant[] = [
  invariantOf('shop', 'every shop and every offer has a currency that can be charged', {
    select: `select id as shop_id, null::uuid as offer_id, currency_code from shop
      union all select shop_id, id, currency_code from offer where active`,
    holds: isCurrencySql('currency_code'),
  }),
  invariantOf('shop', 'every price for sale can be charged in its currency', {
    select: `select id, shop_id, price_amount, compare_at_amount, currency_code
      from offer where active`,
    holds: `${isChargeableSql('price_amount', 'currency_code')}
      and coalesce(${isChargeableSql('compare_at_amount', 'currency_code')}, true)`,
  }),
  invariantOf('order', 'every amount of an order can be charged in its currency', {
    select: `select 'customer_order' as "table", id, total_amount as amount, currency_code
        from customer_order
      union all select 'order_item', id, unit_price_amount, currency_code from order_item
      union all select 'payment', id, amount, currency_code from payment
      union all select 'refund', r.id, r.amount, p.currency_code
        from refund r join payment p on p.customer_id = r.customer_id and p.id = r.payment_id
      union all select 'refund: covered by dispute', r.id, r.covered_by_dispute, p.currency_code
        from refund r join payment p on p.customer_id = r.customer_id and p.id = r.payment_id
      union all select 'refund: covered by refund', r.id, r.covered_by_refund, p.currency_code
        from refund r join payment p on p.customer_id = r.customer_id and p.id = r.payment_id
      union all select 'dispute', d.id, d.amount, p.currency_code
        from dispute d join payment p on p.customer_id = d.customer_id and p.id = d.payment_id`,
    holds: isChargeableSql('amount', 'currency_code'),
  }),
  invariantOf('order', 'every amount in a cart can be charged in its currency', {
    select: 'select id, customer_id, unit_price_amount, currency_code from cart_item',
    holds: isChargeableSql('unit_price_amount', 'currency_code'),
  }),
];
