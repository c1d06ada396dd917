import type { PageArgs } from '../../shared/graphql/connection.js';
import { findPage } from '../../shared/graphql/load.js';
import type { OrderContext } from '../context.js';
import { Order } from './order.js';
import type { OrderStatus } from './status.js';

export interface OrderPage extends PageArgs {
  readonly status?: OrderStatus | null | undefined;
}

/** A page of a customer's orders, newest first. @throws `BAD_USER_INPUT` for invalid page arguments */
export function listOrders({ em }: OrderContext, customerId: string, page: OrderPage) {
  const where = { customerId, ...(page.status && { status: page.status }) };
  return findPage(em, Order, where, { ...page, order: 'desc' });
}
