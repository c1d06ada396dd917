import type { EntityManager } from '@mikro-orm/postgresql';
import type { OfferForSale } from '../../contracts/shop.js';
import { namedParameters } from '../../shared/database/named-parameters.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { transact } from '../../shared/database/transact.js';
import { newId } from '../../shared/ids.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import type { ShippingAddress } from '../order/shipping-address.js';
import {
  countPurchases,
  countPurchasesSql,
  type PurchaseLine,
  purchaseColumns,
  toPurchaseRow,
} from '../purchase-limit/count-purchases.js';

export interface OrderLine {
  readonly offer: OfferForSale;
  readonly quantity: number;
}

export const totalOf = (lines: readonly OrderLine[]): string =>
  sumOf(lines.map(({ offer, quantity }) => lineTotal(offer.priceAmount, quantity)));

export interface NewOrder {
  readonly id: string;
  readonly customerId: string;
  readonly shippingAddress: ShippingAddress;
  readonly lines: readonly OrderLine[];
}

export const hasLimits = ({ lines }: NewOrder) =>
  lines.some(({ offer }) => offer.purchaseLimit !== null);

/**
 * Inserts a PENDING order with its shop orders and lines, and counts the purchases, in one
 * transaction. Nothing is reserved yet.
 *
 * @returns whether any line was in the customer's cart
 * @throws LimitExceeded when a line exceeds its purchase limit; then nothing is written
 */
export async function placeOrder(em: EntityManager, order: NewOrder): Promise<boolean> {
  return transact(em, async (tx) => {
    // Before the counters: a second insert of this order must fail on its id, not on a limit.
    const [row] = await sqlPrepared<PlacedRow>(
      tx,
      insertOrdersSql,
      insertParameters.values(toRows([order])),
    );
    await countPurchases(tx, order.customerId, order.lines.map(toPurchaseLine));
    return row?.inCart === true;
  });
}

/** As `placeOrder`, for orders without purchase limits: all of them or none, in one statement. */
export async function placeOrders(
  em: EntityManager,
  orders: readonly NewOrder[],
): Promise<boolean[]> {
  const purchase_line = orders.flatMap(({ customerId, lines }) =>
    lines.map((line) => toPurchaseRow(customerId, toPurchaseLine(line))),
  );
  const values = insertAndCountParameters.values({ ...toRows(orders), purchase_line });
  const rows = await sqlPrepared<PlacedRow>(em, insertAndCountSql, values);
  const inCart = new Set(rows.flatMap((row) => (row.inCart ? [row.id] : [])));
  return orders.map(({ id }) => inCart.has(id));
}

interface PlacedRow {
  readonly id: string;
  readonly inCart: boolean;
}

const orderRows = {
  new_order: {
    id: 'uuid',
    customer_id: 'uuid',
    total_amount: 'numeric',
    currency_code: 'text',
    shipping_address: 'jsonb',
    event_id: 'uuid',
  },
  new_shop_order: { customer_id: 'uuid', id: 'uuid', order_id: 'uuid', shop_id: 'uuid' },
  new_item: {
    customer_id: 'uuid',
    id: 'uuid',
    order_id: 'uuid',
    shop_order_id: 'uuid',
    offer_id: 'uuid',
    sku: 'text',
    name: 'text',
    unit_price_amount: 'numeric',
    quantity: 'int',
  },
} as const;
const insertParameters = namedParameters(orderRows);
const insertAndCountParameters = namedParameters({ ...orderRows, purchase_line: purchaseColumns });

function toRows(orders: readonly NewOrder[]) {
  const shopOrders = orders.flatMap(shopOrdersOf);
  return {
    new_order: orders.map(({ id, customerId, shippingAddress, lines }) => ({
      id,
      customer_id: customerId,
      total_amount: totalOf(lines),
      currency_code: lines[0]?.offer.currencyCode,
      shipping_address: shippingAddress,
      event_id: newId(),
    })),
    new_shop_order: shopOrders.map(({ customerId, id, orderId, shopId }) => ({
      customer_id: customerId,
      id,
      order_id: orderId,
      shop_id: shopId,
    })),
    new_item: shopOrders.flatMap((shopOrder) =>
      shopOrder.lines.map(({ offer, quantity }) => ({
        customer_id: shopOrder.customerId,
        id: newId(),
        order_id: shopOrder.orderId,
        shop_order_id: shopOrder.id,
        offer_id: offer.id,
        sku: offer.sku,
        name: offer.name,
        unit_price_amount: offer.priceAmount,
        quantity,
      })),
    ),
  };
}

const shopOrdersOf = ({ customerId, id: orderId, lines }: NewOrder) =>
  [...Map.groupBy(lines, ({ offer }) => offer.shopId)].map(([shopId, ofShop]) => {
    return { customerId, id: newId(), orderId, shopId, lines: ofShop };
  });

const insertOrdersCtes = (parameters: typeof insertParameters.sql) => `
  with new_order as (
    select * from ${parameters.new_order}
  ), new_item as (
    select * from ${parameters.new_item}
  ), orders as (
    insert into customer_order (customer_id, id, total_amount, currency_code, shipping_address)
    select customer_id, id, total_amount, currency_code, shipping_address from new_order
  ), shop_orders as (
    insert into shop_order (customer_id, id, order_id, shop_id)
    select customer_id, id, order_id, shop_id from ${parameters.new_shop_order}
  ), history as (
    insert into order_event (customer_id, id, order_id, type, actor)
    select customer_id, event_id, id, 'PLACED', customer_id::text from new_order
  ), items as (
    insert into order_item
      (customer_id, id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code,
       quantity)
    select i.customer_id, i.id, shop_order_id, offer_id, sku, name, unit_price_amount,
      currency_code, quantity
    from new_item i join new_order o on o.id = i.order_id
  )`;
const selectInCart = `
  select id, exists (
    select from new_item i
      join cart_item c on c.customer_id = i.customer_id and c.offer_id = i.offer_id
    where i.order_id = new_order.id) as "inCart"
  from new_order`;
const insertOrdersSql = `${insertOrdersCtes(insertParameters.sql)} ${selectInCart}`;
const insertAndCountSql = `${insertOrdersCtes(insertAndCountParameters.sql)},
  purchases as (${countPurchasesSql(insertAndCountParameters.sql.purchase_line)}) ${selectInCart}`;

const toPurchaseLine = ({ offer, quantity }: OrderLine): PurchaseLine => {
  const { id: offerId, shopId, sku, purchaseLimit } = offer;
  return { offerId, shopId, sku, purchaseLimit, quantity };
};
