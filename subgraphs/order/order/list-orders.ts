import { pageRequest, toConnection } from '../../shared/connection.js';
import type { OrderContext } from '../context.js';
import { Order } from './order.js';
import type { OrderStatus } from './status.js';

export interface OrderPage {
  readonly first: number;
  readonly after?: string | null | undefined;
  readonly status?: OrderStatus | null | undefined;
}

/** A page of a customer's orders, newest first. @throws `BAD_USER_INPUT` for a bad page */
export async function listOrders({ em }: OrderContext, customerId: string, page: OrderPage) {
  const { first, afterId } = pageRequest(page.first, page.after);
  const where = {
    customerId,
    ...(page.status && { status: page.status }),
    ...(afterId && { id: { $lt: afterId } }),
  };
  return toConnection(
    await em.find(Order, where, { orderBy: { id: 'desc' }, limit: first + 1 }),
    first,
  );
}
