import { loaderOf } from '../../shared/context.js';
import { loadBy } from '../../shared/load.js';
import { owns } from '../../shared/rights.js';
import type { OrderContext } from '../context.js';
import { Order } from './order.js';

const loadOrders = loadBy(Order, 'id');

/** The order, if it is the user's or the user is an admin; null otherwise, as if it were not there. */
export async function ownOrder(context: OrderContext, id: string): Promise<Order | null> {
  return onlyOwn(context, await loaderOf(context, loadOrders).load(id));
}

/** As `ownOrder`, for operations that change it: read apart from what the request shows. */
export async function findOwnOrder(context: OrderContext, id: string): Promise<Order | null> {
  return onlyOwn(context, await context.em.fork().findOne(Order, id));
}

function onlyOwn(context: OrderContext, order: Order | null): Order | null {
  return owns(context, order?.customerId) ? order : null;
}
