import { seedId } from '../../dev/seed/ids.js';
import { newId } from '../../subgraphs/shared/ids.js';
import { admissionBreaks } from './broken-admissions.js';
import { paymentBreaks } from './broken-payments.js';
import { queueBreaks } from './broken-queues.js';
import { saleOrderBreaks } from './broken-sale-orders.js';
import { type Break, stockBreaks } from './broken-stock.js';
import { refunded } from './placed-order.js';

const offer = seedId('offer', 0);

/** SQL for a published sale of the offer, which product has not been sent. */
const saleOf = (id: string, set = `name = 'Sale'`): string[] => [
  `insert into sale_event (id, name, slug, starts_at, ends_at, status, published_at)
   values ('${id}', 'Sale', '${id}', now() + interval '1 h', now() + interval '2 h', 'PUBLISHED', now())`,
  `insert into sale_offer (sale_id, offer_id, price_amount, allocation) values ('${id}', '${offer}', 0, 1)`,
  `update offer set sale_id = '${id}' where id = '${offer}'`,
  `update sale_event set ${set} where id = '${id}'`,
];

/** Each breaks one invariant directly in SQL, in a store with an order and a cart. */
export const breaks: readonly Break[] = [
  ...stockBreaks,
  ...paymentBreaks,
  ...saleOrderBreaks,
  ...queueBreaks,
  ...admissionBreaks,
  ['the total of an order is the sum of its lines', 'order', ['delete from order_item']],
  [
    'the total of an order is the sum of its lines',
    'order',
    ['update customer_order set total_amount = 1'],
  ],
  [
    'the status of an order follows from its shop orders',
    'order',
    [`update shop_order set status = 'SHIPPED'`],
  ],
  [
    'purchased units of a sku are the sum of the units that are not cancelled',
    'order',
    ['update purchase set units = units + 1'],
  ],
  [
    'units of an offer in carts are the sum over the counted carts',
    'order',
    ['update units_in_carts set units = units + 1'],
  ],
  [
    'an order whose stock was held, or that is paid for, has a number',
    'order',
    [
      'alter table customer_order drop constraint customer_order_held',
      'alter table customer_order disable trigger number_is_final',
      'update customer_order set number = null, expires_at = now()',
    ],
  ],
  [
    'an order whose stock was held, or that is paid for, has a number',
    'order',
    [
      'alter table customer_order disable trigger number_is_final',
      'update customer_order set number = null',
      `insert into payment (id, order_id, customer_id, amount, status, failure, provider)
       select '${newId()}', id, customer_id, 20, 'FAILED', 'DECLINED', 'sandbox' from customer_order`,
    ],
  ],
  ...[
    ['delete from numbered_order'],
    [`update numbered_order set order_id = '${newId()}'`],
    [
      'alter table customer_order disable trigger number_is_final',
      `update customer_order set number = 'H00000002'`,
    ],
  ].map(
    (changes): Break => [
      'the numbers of orders are those that are stored as unique',
      'order',
      changes,
    ],
  ),
  [
    'a paid order has one completed payment of its total, a pending one none',
    'order',
    [`update customer_order set status = 'CONFIRMED'`],
  ],
  [
    'a paid order has one completed payment of its total, a pending one none',
    'order',
    [
      `update customer_order set status = 'CONFIRMED'`,
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${newId()}', id, customer_id, total_amount, 'REFUNDED', 'sandbox' from customer_order`,
    ],
  ],
  [
    'a shop order is hidden from its shop only if its order ended unpaid',
    'order',
    ['update shop_order set never_paid = true'],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      'alter table customer_order disable trigger number_is_final',
      'update customer_order set number = null',
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       select customer_id, 'checkout', 'k', '', id, '{"kind": "placed"}', now() from customer_order`,
    ],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       values ('${newId()}', 'checkout', 'k', '', '${newId()}', '{"kind": "placed"}', now())`,
    ],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       values ('${newId()}', 'checkout', 'k', '', '${newId()}',
         '{"kind": "short", "lines": [{"requested": 2, "available": 2}]}', now())`,
    ],
  ],
  [
    'every acknowledged checkout has an order, and every refusal was correct',
    'order',
    [
      `insert into idempotency_key (user_id, operation, key, fingerprint, subject_id, outcome, claimed_until)
       select customer_id, 'checkout', 'k', '', id, '{"kind": "short", "lines": []}', now()
       from customer_order`,
    ],
  ],
  [
    'every shop and every offer has a currency that can be charged',
    'shop',
    [`update shop set currency_code = 'ZZZ' where id = '${seedId('shop', 0)}'`],
  ],
  [
    'every shop and every offer has a currency that can be charged',
    'shop',
    [`update offer set currency_code = 'ZZZ' where id = '${offer}'`],
  ],
  ...[
    'price_amount = 100.50, compare_at_amount = null',
    'price_amount = 100, compare_at_amount = 100.50',
  ].map(
    (prices): Break => [
      'every price for sale can be charged in its currency',
      'shop',
      [
        `update offer set currency_code = 'JPY', ${prices}
         where id = '${offer}'`,
      ],
    ],
  ),
  [
    'every amount of an order can be charged in its currency',
    'order',
    [
      `update customer_order set currency_code = 'JPY'`,
      `update order_item set currency_code = 'JPY', unit_price_amount = 10.50`,
    ],
  ],
  [
    'every amount of an order can be charged in its currency',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, currency_code, status, provider)
       select '${refunded}', id, customer_id, 20, 'UGX', 'COMPLETED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', 0.50, 'BY_SHOP' from customer_order`,
    ],
  ],
  [
    'every amount in a cart can be charged in its currency',
    'order',
    [`update cart_item set currency_code = 'ISK', unit_price_amount = 0.50`],
  ],
  ...(['product', 'shop', 'warehouse', 'order'] as const).map(
    (name): Break => [
      `the outbox of the ${name} subgraph is empty, without dead letters`,
      name,
      [
        `insert into outbox (id, consumer, topic, key, version, payload, dead_at)
         values ('${newId()}', 'order', 't', 'k', 1, '{}', now())`,
      ],
    ],
  ),
  [
    'the listings of product match shop and warehouse',
    'product',
    ['update offer_listing set in_stock = not in_stock'],
  ],
  [
    'the listings of product match shop and warehouse',
    'product',
    [
      `update offer_listing set regular_amount = price_amount, sale_amount = 0.01,
         sale_id = '${newId()}', sale_starts_at = now() + interval '1 h',
         sale_ends_at = now() + interval '2 h', sale_due_at = now() + interval '1 h'`,
    ],
  ],
  [
    'the listings of product match shop and warehouse',
    'shop',
    saleOf(newId(), `starts_at = now() - interval '1 h'`),
  ],
  ...[
    // In a second one, whose publication did not look.
    [...saleOf(newId()), ...saleOf(newId())],
    // In one that its row does not name.
    [...saleOf(newId()), 'update offer set sale_id = null'],
    // For more than its regular price.
    [...saleOf(newId()), 'update sale_offer set price_amount = 1000000'],
  ].map(
    (changes): Break => [
      'an offer is in at most one published sale that has not ended',
      'shop',
      changes,
    ],
  ),
  [
    'the names of offers match their products and variants',
    'product',
    [`update product set name = 'Renamed'`],
  ],
  [
    'the price summaries of products match their listings',
    'product',
    ['update listed_price set lowest_in_stock = null'],
  ],
  [
    'a user with addresses has exactly one default address',
    'user',
    [
      `insert into address (id, user_id, city) select id, id, 'Springfield' from user_account limit 1`,
    ],
  ],
  ['the status of an order matches its reservation', 'order', ['select 1']],
];
