import { identityOf } from '../../shared/auth/callers.js';
import { notFound } from '../../shared/errors.js';
import { loaderOf } from '../../shared/graphql/context.js';
import { loadAllInShards, uncached } from '../../shared/graphql/load.js';
import { owns } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { loadRows, type RowLookup } from '../load-rows.js';
import { Order } from './order.js';
import { isOfHeldOrderSql, ShopOrder } from './shop-order.js';

/*
 * An order is visible once its stock is held and it has a number. `find` and `findOne` hide others, and
 * their shop orders: the filters of `Order` and `ShopOrder`. From a shop, an order disappears that
 * ends before it is paid. SQL that reads shop orders for a shop needs the condition below.
 */

/** For `select … from shop_order`; its first half is the condition of the index of a shop's orders. */
export const visibleToShop = `not never_paid and ${isOfHeldOrderSql('shop_order')}`;

const loadOrders = uncached(loadRows(Order));

export const loadShopOrders = uncached(loadRows(ShopOrder));

const loadShopOrdersOf = uncached(
  loadAllInShards(ShopOrder, 'customerId', 'orderId', { id: 'asc' }),
);

/** The id of a row, with the customer if only one’s rows are visible: vendors and admins see those of others. */
export function lookupOf(context: OrderContext, id: string): RowLookup {
  const { id: userId, role } = identityOf(context);
  return { customerId: role === 'CUSTOMER' ? userId : null, id };
}

/** The order, if it is the user's or the user is an admin; null otherwise. */
export async function findOwnOrder(context: OrderContext, key: RowLookup): Promise<Order | null> {
  return onlyOwn(context, await loaderOf(context, loadOrders).load(key));
}

/**
 * As `findOwnOrder`, for operations that change it. Does not fill the loader from which the response
 * is read after the change.
 *
 * @throws `NOT_FOUND`
 */
export async function requireOwnOrder(context: OrderContext, id: string): Promise<Order> {
  const order = onlyOwn(context, await context.em.fork().findOne(Order, ofOwner(context, id)));
  if (!order) throw notFound('order', id);
  return order;
}

/** The condition for a row of the user; of any customer for an admin. */
function ofOwner(context: OrderContext, id: string) {
  const { id: customerId, role } = identityOf(context);
  return role === 'ADMIN' ? { id } : { customerId, id };
}

function onlyOwn(context: OrderContext, order: Order | null): Order | null {
  return owns(context, order?.customerId) ? order : null;
}

/** As `findOwnOrder`, and also for the owner of a shop that has a shop order in it. */
export async function findVisibleOrder(
  context: OrderContext,
  key: RowLookup,
): Promise<Order | null> {
  const order = await loaderOf(context, loadOrders).load(key);
  if (!order || owns(context, order.customerId)) return order;
  return (await findVisibleShopOrders(context, order)).length > 0 ? order : null;
}

/** The shop order, if its order or shop is the user's or the user is an admin; null otherwise. */
export async function findVisibleShopOrder(
  context: OrderContext,
  id: string,
): Promise<ShopOrder | null> {
  return onlyVisible(context, await loaderOf(context, loadShopOrders).load(lookupOf(context, id)));
}

/** As `findVisibleShopOrder`, by the order and the shop. */
export async function findVisibleShopOrderOf(
  context: OrderContext,
  orderId: string,
  shopId: string,
): Promise<ShopOrder | null> {
  const order = await loaderOf(context, loadOrders).load(lookupOf(context, orderId));
  if (!order) return null;
  const ofOrder = await loaderOf(context, loadShopOrdersOf).load(order);
  return onlyVisible(context, ofOrder.find((each) => each.shopId === shopId) ?? null);
}

async function onlyVisible(
  context: OrderContext,
  shopOrder: ShopOrder | null,
): Promise<ShopOrder | null> {
  if (!shopOrder || owns(context, shopOrder.customerId)) return shopOrder;
  return (await isOfUsersShop(context, shopOrder)) ? shopOrder : null;
}

/** The shop orders that the user may see: all of their own order, else those of their shops. */
export async function findVisibleShopOrders(
  context: OrderContext,
  order: Order,
): Promise<ShopOrder[]> {
  const isOwn = owns(context, order.customerId);
  if (!isOwn && !isVendor(context)) return [];
  const shopOrders = await loaderOf(context, loadShopOrdersOf).load(order);
  if (isOwn) return shopOrders;
  const visible = await Promise.all(shopOrders.map((each) => isOfUsersShop(context, each)));
  return shopOrders.filter((_, at) => visible[at]);
}

const isVendor = (context: OrderContext) => identityOf(context).role === 'VENDOR';

/** Whether the shop is the user's, and sees the shop order. */
const isOfUsersShop = async (
  context: OrderContext,
  { shopId, neverPaid }: ShopOrder,
): Promise<boolean> => isVendor(context) && !neverPaid && context.app.owners.isOwn(context, shopId);

/** Guards fields that a shop must not see. @throws `NOT_FOUND` unless it is the customer's order */
export function requireCustomer(context: OrderContext, order: Order, what: string): void {
  if (!owns(context, order.customerId)) throw notFound(what, order.id);
}

/**
 * The shop order, for operations of its shop and of admins that change it.
 *
 * @throws `NOT_FOUND`; `FORBIDDEN` if the shop is not the user’s
 */
export async function requireShopOrderOfOwnShop(
  context: OrderContext,
  id: string,
): Promise<ShopOrder> {
  const shopOrder = await context.em.fork().findOne(ShopOrder, { id });
  if (!shopOrder) throw notFound('shop order', id);
  await context.app.owners.requireOwn(context, shopOrder.shopId);
  if (shopOrder.neverPaid && identityOf(context).role !== 'ADMIN') throw notFound('shop order', id);
  return shopOrder;
}
