import { seedId } from '../../dev/seed/ids.js';
import { newId } from '../../subgraphs/shared/ids.js';
import type { Break } from './broken-stock.js';

const sale = newId();
/** SQL that makes all lines those of a sale. */
export const saleLine = `update order_item set sale_id = '${sale}', decided_at = now()`;
const bought = (units: string) => `insert into sale_purchase (customer_id, sale_id, offer_id, units)
  select customer_id, sale_id, offer_id, ${units} from order_item`;
const shipped = `update customer_order set sale_address = 'address'`;
const toAddress = (units: string) => `insert into sale_address (sale_id, offer_id, address, units)
  select sale_id, offer_id, 'address', ${units} from order_item`;

/** SQL that makes all lines those of a sale, and counts them. */
export const countedSale = [saleLine, shipped, bought('quantity'), toAddress('quantity')];

const held = 'open orders and units of a customer are those of the PENDING orders';
const ofCustomer =
  'units that a customer bought in a sale are those of orders that did not end unpaid';
const ofAddress = 'units of a sale for one address are those of orders that did not end unpaid';

const ofPhone = 'a phone number of a sale is claimed by an order of its customer in it';
const claim = (order: string, saleId = sale) => `
  insert into sale_phone (sale_id, phone, customer_id, order_id)
  select '${saleId}', gen_random_uuid(), customer_id, ${order} from customer_order`;

const ofWindow = 'a line of a sale was decided in its window, and has its price';
const hourMs = 3_600_000;
const at = (ms: number) => `'${new Date(ms).toISOString()}'`;
const startMs = Date.now() - hourMs;
const endMs = startMs + 2 * hourMs;
/** SQL for the sale, from an hour ago to in an hour. */
export const openSale = [
  'shop',
  [
    `insert into sale_event (id, name, slug, starts_at, ends_at, status, published_at)
     values ('${sale}', 'Sale', '${sale}', ${at(startMs)}, ${at(endMs)}, 'PUBLISHED', now())`,
    `insert into sale_offer (sale_id, offer_id, price_amount, allocation)
     values ('${sale}', '${seedId('offer', 0)}', 10, 1)`,
  ],
] as const;

const soldOnly = 'no line at the regular price was decided while its offer was sold only in a sale';
/** SQL for the same sale, as one that was published before its start and is the only way to buy the offer. */
export const openSoldOnly = [
  'shop',
  [
    ...openSale[1],
    `update sale_event set published_at = starts_at - interval '1 h' where id = '${sale}'`,
    `update sale_offer set when_sold_out = 'SOLD_OUT' where sale_id = '${sale}'`,
  ],
] as const;

/** SQL that makes all lines regular ones, decided so many ms after the start of the sale. */
export const regularLine = (afterStartMs: number) =>
  `update order_item set sale_id = null, decided_at = ${at(startMs + afterStartMs)}`;
/** SQL for a pause of the sale, between so many ms after its start. */
export const pauseOfSale = (fromMs: number, toMs: number | null) =>
  `insert into sale_pause (sale_id, paused_at, resumed_at)
   values ('${sale}', ${at(startMs + fromMs)}, ${toMs === null ? 'null' : at(startMs + toMs)})`;
/** SQL for a cancellation of the sale, so many ms after its start. */
export const cancelOfSale = (afterStartMs: number) =>
  `update sale_event set status = 'CANCELLED', cancelled_at = ${at(startMs + afterStartMs)}
   where id = '${sale}'`;

export const saleOrderBreaks: readonly Break[] = [
  [held, 'order', ['update customer_hold set open_orders = open_orders + 1']],
  [held, 'order', [`update customer_hold set open_units = '{}'`]],
  [held, 'order', ['delete from customer_hold']],
  [ofCustomer, 'order', [saleLine]],
  [ofCustomer, 'order', [saleLine, bought('quantity + 1')]],
  [
    ofCustomer,
    'order',
    [saleLine, bought('quantity'), 'update sale_purchase set expired_orders = 1'],
  ],
  [ofAddress, 'order', [saleLine, shipped]],
  [ofAddress, 'order', [saleLine, shipped, toAddress('quantity - 1')]],
  ...[
    // Of no order, and of one without a line of the sale.
    [claim(`'${newId()}'`)],
    [saleLine, claim('id', newId())],
    // Of an order of another customer.
    [saleLine, claim('id'), `update sale_phone set customer_id = '${newId()}'`],
  ].map((statements): Break => [ofPhone, 'order', statements]),
  // Of an unknown sale.
  [ofWindow, 'order', [saleLine]],
  ...[
    'decided_at = null',
    `decided_at = ${at(startMs - 1)}`,
    `decided_at = ${at(endMs)}`,
    'unit_price_amount = 9.99',
  ].map((set): Break => [ofWindow, 'order', [saleLine, `update order_item set ${set}`], openSale]),
  ...[0, 2 * hourMs - 1].map(
    (afterStartMs): Break => [soldOnly, 'order', [regularLine(afterStartMs)], openSoldOnly],
  ),
];
