import type { EntityManager } from '@mikro-orm/postgresql';
import type { OfferForSale } from '../../contracts/shop.js';
import { sqlPrepared } from '../../shared/database/sql.js';
import { newId } from '../../shared/ids.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import type { ShippingAddress } from '../order/order.js';
import {
  countPurchases,
  countPurchasesParams,
  countPurchasesSql,
  type PurchaseLine,
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
  return em.fork().transactional(async (tx) => {
    // Before the counters: a second insert of this order must fail on its id, not on a limit.
    const [row] = await sqlPrepared<PlacedRow>(tx, insertOrdersSql, insertOrdersParams([order]));
    await countPurchases(tx, order.customerId, order.lines.map(toPurchaseLine));
    return row?.inCart === true;
  });
}

/** As `placeOrder`, for orders without purchase limits: all of them or none, in one statement. */
export async function placeOrders(
  em: EntityManager,
  orders: readonly NewOrder[],
): Promise<boolean[]> {
  const bought = orders.flatMap(({ customerId, lines }) =>
    lines.map((line) => ({ customerId, ...toPurchaseLine(line) })),
  );
  const rows = await sqlPrepared<PlacedRow>(em, insertAndCountSql, [
    ...insertOrdersParams(orders),
    ...countPurchasesParams(bought),
  ]);
  const inCart = new Set(rows.flatMap((row) => (row.inCart ? [row.id] : [])));
  return orders.map(({ id }) => inCart.has(id));
}

interface PlacedRow {
  readonly id: string;
  readonly inCart: boolean;
}

function insertOrdersParams(orders: readonly NewOrder[]): unknown[] {
  const shopOrders = orders.flatMap(shopOrdersOf);
  const items = shopOrders.flatMap((shopOrder) =>
    shopOrder.lines.map((line) => ({
      id: newId(),
      orderId: shopOrder.orderId,
      shopOrderId: shopOrder.id,
      ...line,
    })),
  );
  return [
    orders.map(({ id }) => id),
    orders.map(({ customerId }) => customerId),
    orders.map(({ lines }) => totalOf(lines)),
    orders.map(({ lines }) => lines[0]?.offer.currencyCode),
    orders.map(({ shippingAddress }) => JSON.stringify(shippingAddress)),
    orders.map(() => newId()),
    ...[shopOrders.map(({ id }) => id), shopOrders.map(({ orderId }) => orderId)],
    shopOrders.map(({ shopId }) => shopId),
    ...[items.map(({ id }) => id), items.map(({ orderId }) => orderId)],
    ...[items.map(({ shopOrderId }) => shopOrderId), items.map(({ offer }) => offer.id)],
    ...[items.map(({ offer }) => offer.sku), items.map(({ offer }) => offer.name)],
    ...[items.map(({ offer }) => offer.priceAmount), items.map(({ quantity }) => quantity)],
  ];
}

const shopOrdersOf = ({ id: orderId, lines }: NewOrder) =>
  [...Map.groupBy(lines, ({ offer }) => offer.shopId)].map(([shopId, ofShop]) => {
    return { id: newId(), orderId, shopId, lines: ofShop };
  });

const insertOrdersCtes = `
  with new_order as (
    select * from unnest($1::uuid[], $2::uuid[], $3::numeric[], $4::text[], $5::jsonb[], $6::uuid[])
      as new_order (id, customer_id, total, currency_code, address, event_id)
  ), ordered as (
    select * from unnest($10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::text[], $15::text[],
      $16::numeric[], $17::int[])
      as ordered (id, order_id, shop_order_id, offer_id, sku, name, price, quantity)
  ), placed as (
    insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
    select id, customer_id, total, currency_code, address from new_order
  ), shop_orders as (
    insert into shop_order (id, order_id, shop_id)
    select id, order_id, shop_id from unnest($7::uuid[], $8::uuid[], $9::uuid[])
      as new_shop_order (id, order_id, shop_id)
  ), history as (
    insert into order_event (id, order_id, type, actor)
    select event_id, id, 'PLACED', customer_id::text from new_order
  ), items as (
    insert into order_item
      (id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
    select o.id, shop_order_id, offer_id, sku, name, price, currency_code, quantity
    from ordered o join new_order p on p.id = o.order_id
  )`;
const selectInCart = `
  select id, exists (
    select from ordered join cart_item c on c.cart_id = customer_id and c.offer_id = ordered.offer_id
    where order_id = new_order.id) as "inCart"
  from new_order`;
const insertOrdersSql = `${insertOrdersCtes} ${selectInCart}`;
const insertAndCountSql = `${insertOrdersCtes}, bought as (${countPurchasesSql(18)}) ${selectInCart}`;

export const toPurchaseLine = ({ offer, quantity }: OrderLine): PurchaseLine => {
  const { id: offerId, shopId, sku, purchaseLimit } = offer;
  return { offerId, shopId, sku, purchaseLimit, quantity };
};
