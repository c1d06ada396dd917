import { type EntityManager, sqlPrepared } from '../../shared/database.js';
import { newId } from '../../shared/ids.js';
import { lineTotal, sumOf } from '../../shared/money.js';
import type { ShippingAddress } from '../order/order.js';
import { countPurchases, type PurchaseLine } from '../purchase/count-purchases.js';
import type { OfferForSale } from './offers-for-sale.js';

export interface OrderLine {
  readonly offer: OfferForSale;
  readonly quantity: number;
}

export const totalOf = (lines: readonly OrderLine[]): string =>
  sumOf(lines.map(({ offer, quantity }) => lineTotal(offer.priceAmount, quantity)));

/**
 * Writes a PENDING order with its parts and lines, and counts them as bought, in one transaction;
 * nothing is held yet.
 *
 * @throws LimitExceeded when a line passes its purchase limit; nothing is written then
 */
export async function placeOrder(
  em: EntityManager,
  order: { id: string; customerId: string; shippingAddress: ShippingAddress },
  lines: readonly OrderLine[],
): Promise<void> {
  const parts = [...Map.groupBy(lines, ({ offer }) => offer.shopId)].map(([shopId, ofShop]) => {
    return { id: newId(), shopId, lines: ofShop };
  });
  const items = parts.flatMap(itemsOf);
  await em.fork().transactional(async (tx) => {
    // Before the counters: another process with this order's id is told by its key, not by a limit.
    await sqlPrepared(tx, insertAll, [
      ...[order.id, order.customerId, totalOf(lines), lines[0]?.offer.currencyCode],
      JSON.stringify(order.shippingAddress),
      ...[parts.map(({ id }) => id), parts.map(({ shopId }) => shopId)],
      ...[items.map(({ id }) => id), items.map(({ partId }) => partId)],
      ...[items.map(({ offer }) => offer.id), items.map(({ offer }) => offer.sku)],
      ...[items.map(({ offer }) => offer.name), items.map(({ offer }) => offer.priceAmount)],
      items.map(({ quantity }) => quantity),
      newId(),
    ]);
    await countPurchases(tx, order.customerId, lines.map(toPurchaseLine));
  });
}

const itemsOf = (part: { id: string; lines: readonly OrderLine[] }) =>
  part.lines.map((line) => ({ id: newId(), partId: part.id, ...line }));

const insertAll = `
  with placed as (
    insert into customer_order (id, customer_id, total_amount, currency_code, shipping_address)
    values ($1, $2, $3, $4, $5)
  ), parts as (
    insert into shop_order (id, order_id, shop_id)
    select id, $1, shop_id from unnest($6::uuid[], $7::uuid[]) as part (id, shop_id)
  ), history as (
    insert into order_event (id, order_id, type, actor) values ($15, $1, 'PLACED', $2::uuid::text)
  )
  insert into order_item
    (id, shop_order_id, offer_id, sku, name, unit_price_amount, currency_code, quantity)
  select id, part_id, offer_id, sku, name, price, $4, quantity
  from unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::text[], $13::numeric[],
    $14::int[]) as item (id, part_id, offer_id, sku, name, price, quantity)`;

/** What the limit of an offer has to say of a line. */
export const toPurchaseLine = ({ offer, quantity }: OrderLine): PurchaseLine => {
  const { id: offerId, shopId, sku, purchaseLimit } = offer;
  return { offerId, shopId, sku, purchaseLimit, quantity };
};
