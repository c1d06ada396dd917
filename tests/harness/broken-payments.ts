import { newId } from '../../subgraphs/shared/ids.js';
import type { Break } from './broken-stock.js';
import { refunded, refundOfLines } from './placed-order.js';

/** Each breaks one invariant of payments directly in SQL, in a store with an order. */
export const paymentBreaks: readonly Break[] = [
  [
    'payments of a cancelled order failed, were voided or are refunded in full',
    'order',
    [
      `update customer_order set status = 'CANCELLED', cancel_reason = 'BY_CUSTOMER'`,
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${newId()}', id, customer_id, 20, 'AUTHORIZED', 'sandbox' from customer_order`,
    ],
  ],
  [
    'refunds do not exceed their payment, and equal it once it is REFUNDED',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${refunded}', id, customer_id, 20, 'COMPLETED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', 20.01, 'BY_SHOP' from customer_order`,
    ],
  ],
  [
    'refunds do not exceed their payment, and equal it once it is REFUNDED',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${refunded}', id, customer_id, 20, 'REFUNDED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', 20, 'BY_SHOP' from customer_order`,
    ],
  ],
  [
    'the price of cancelled units is refunded',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${newId()}', id, customer_id, 20, 'COMPLETED', 'sandbox' from customer_order`,
      'update order_item set cancelled_quantity = 1',
    ],
  ],
  [
    'a paid shop order is CANCELLED once none of its units is left',
    'order',
    [`update shop_order set status = 'CONFIRMED'`, 'update order_item set cancelled_quantity = 2'],
  ],
  [
    'the refunds of a shop order do not exceed its price',
    'order',
    [
      `insert into payment (id, order_id, customer_id, amount, status, provider)
       select '${refunded}', id, customer_id, 30, 'COMPLETED', 'sandbox' from customer_order`,
      `insert into refund (customer_id, id, payment_id, shop_order_id, amount, reason)
       select customer_id, '${newId()}', '${refunded}', id, 20.01, 'BY_SHOP' from shop_order`,
    ],
  ],
  ['the price of a unit is refunded once', 'order', refundOfLines('19.00', 3)],
  ['a refund of lines does not exceed their price', 'order', refundOfLines('10.01', 1)],
  ...[`select provider, 't', customer_id, '${newId()}' from payment`, ''].map(
    (stored): Break => [
      'the transactions of payments are those that are stored as unique',
      'order',
      [
        `insert into payment
           (id, order_id, customer_id, amount, status, provider, provider_transaction_id)
         select '${newId()}', id, customer_id, 20, 'COMPLETED', 'sandbox', 't' from customer_order`,
        ...(stored
          ? [
              `insert into provider_transaction
             (provider, provider_transaction_id, customer_id, payment_id) ${stored}`,
            ]
          : []),
      ],
    ],
  ),
];
