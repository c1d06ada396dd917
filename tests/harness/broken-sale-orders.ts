import { newId } from '../../subgraphs/shared/ids.js';
import type { Break } from './broken-stock.js';

const sale = newId();
const inSale = `update order_item set sale_id = '${sale}', decided_at = now()`;
const bought = (units: string) => `insert into sale_purchase (customer_id, sale_id, offer_id, units)
  select customer_id, sale_id, offer_id, ${units} from order_item`;
const shipped = `update customer_order set sale_address = 'address'`;
const toAddress = (units: string) => `insert into sale_address (sale_id, offer_id, address, units)
  select sale_id, offer_id, 'address', ${units} from order_item`;

const held = 'open orders and units of a customer are those of the PENDING orders';
const ofCustomer =
  'units that a customer bought in a sale are those of orders that did not end unpaid';
const ofAddress = 'units of a sale for one address are those of orders that did not end unpaid';

export const saleOrderBreaks: readonly Break[] = [
  [held, 'order', ['update customer_hold set open_orders = open_orders + 1']],
  [held, 'order', [`update customer_hold set open_units = '{}'`]],
  [held, 'order', ['delete from customer_hold']],
  [ofCustomer, 'order', [inSale]],
  [ofCustomer, 'order', [inSale, bought('quantity + 1')]],
  [
    ofCustomer,
    'order',
    [inSale, bought('quantity'), 'update sale_purchase set expired_orders = 1'],
  ],
  [ofAddress, 'order', [inSale, shipped]],
  [ofAddress, 'order', [inSale, shipped, toAddress('quantity - 1')]],
  [
    'a line of a sale has the time at which its window was decided',
    'order',
    [`update order_item set sale_id = '${sale}'`],
  ],
];
