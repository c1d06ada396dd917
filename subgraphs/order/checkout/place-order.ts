import { type EntityManager, sqlPrepared } from '../../shared/database.js';
import { newId } from '../../shared/ids.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import type { ShippingAddress } from '../order/order.js';
import {
  counted,
  counting,
  countPurchases,
  type PurchaseLine,
} from '../purchase/count-purchases.js';
import type { OfferForSale } from './offers-for-sale.js';

export interface OrderLine {
  readonly offer: OfferForSale;
  readonly quantity: number;
}

export const totalOf = (lines: readonly OrderLine[]): string =>
  sumOf(lines.map(({ offer, quantity }) => lineTotal(offer.priceAmount, quantity)));

/**
 * Writes a PENDING order with its parts and lines, and counts them as bought, in one transaction, and
 * in one statement where no line has a limit; nothing is held yet.
 *
 * @returns whether any of it was in the customer's cart
 * @throws LimitExceeded when a line passes its purchase limit; nothing is written then
 */
export async function placeOrder(
  em: EntityManager,
  order: NewOrder,
  lines: readonly OrderLine[],
): Promise<boolean> {
  const values = valuesOf(order, lines);
  const bought = lines.map(toPurchaseLine);
  if (bought.every(({ purchaseLimit }) => purchaseLimit === null)) {
    return isInCart(em.fork(), insertAndCount, [...values, ...counted(order.customerId, bought)]);
  }
  return em.fork().transactional(async (tx) => {
    // Before the counters: another process with this order's id is told by its key, not by a limit.
    const inCart = await isInCart(tx, insertAll, values);
    await countPurchases(tx, order.customerId, bought);
    return inCart;
  });
}

interface NewOrder {
  readonly id: string;
  readonly customerId: string;
  readonly shippingAddress: ShippingAddress;
}

async function isInCart(em: EntityManager, text: string, values: unknown[]): Promise<boolean> {
  const [row] = await sqlPrepared<{ inCart: boolean }>(em, text, values);
  return row?.inCart === true;
}

function valuesOf(order: NewOrder, lines: readonly OrderLine[]): unknown[] {
  const parts = [...Map.groupBy(lines, ({ offer }) => offer.shopId)].map(([shopId, ofShop]) => {
    return { id: newId(), shopId, lines: ofShop };
  });
  const items = parts.flatMap((part) =>
    part.lines.map((line) => ({ id: newId(), partId: part.id, ...line })),
  );
  return [
    ...[order.id, order.customerId, totalOf(lines), lines[0]?.offer.currencyCode],
    JSON.stringify(order.shippingAddress),
    ...[parts.map(({ id }) => id), parts.map(({ shopId }) => shopId)],
    ...[items.map(({ id }) => id), items.map(({ partId }) => partId)],
    ...[items.map(({ offer }) => offer.id), items.map(({ offer }) => offer.sku)],
    ...[items.map(({ offer }) => offer.name), items.map(({ offer }) => offer.priceAmount)],
    items.map(({ quantity }) => quantity),
    newId(),
  ];
}

const inserting = `
  with placed as (
    insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
    values ($1, $2, $3, $4, $5)
  ), parts as (
    insert into shop_order (id, order_id, shop_id)
    select id, $1, shop_id from unnest($6::uuid[], $7::uuid[]) as part (id, shop_id)
  ), history as (
    insert into order_event (id, order_id, type, actor) values ($15, $1, 'PLACED', $2::uuid::text)
  ), items as (
    insert into order_item
      (id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
    select id, part_id, offer_id, sku, name, price, $4, quantity
    from unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::numeric[],
      $14::int[]) as item (id, part_id, offer_id, sku, name, price, quantity)
  )`;
const whetherInCart = `select exists (
  select from cart_item where cart_id = $2 and offer_id = any($10::uuid[])) as "inCart"`;
const insertAll = `${inserting} ${whetherInCart}`;
const insertAndCount = `${inserting}, bought as (${counting(16)}) ${whetherInCart}`;

/** What the limit of an offer has to say of a line. */
export const toPurchaseLine = ({ offer, quantity }: OrderLine): PurchaseLine => {
  const { id: offerId, shopId, sku, purchaseLimit } = offer;
  return { offerId, shopId, sku, purchaseLimit, quantity };
};
