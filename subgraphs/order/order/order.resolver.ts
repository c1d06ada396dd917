import { Arg, Ctx, FieldResolver, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth.js';
import { loaderOf } from '../../shared/context.js';
import { loadAllBy } from '../../shared/load.js';
import { Money, money } from '../../shared/money.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import type { OrderContext } from '../context.js';
import { Payment } from '../payment/payment.js';
import { User } from '../user/user.js';
import { CancelOrderResult, cancelOrder } from './cancel-order.js';
import { listOrders } from './list-orders.js';
import { Order, OrderConnection } from './order.js';
import { ownOrder } from './own-order.js';
import { ShopOrder } from './shop-order.js';
import { OrderStatus } from './status.js';

const loadShopOrders = loadAllBy(ShopOrder, 'orderId', { id: 'asc' });

const loadPayments = loadAllBy(Payment, 'orderId', { id: 'asc' });

@Resolver(() => Order)
export class OrderResolver {
  @Allow('own')
  @Query(() => Order, { nullable: true, description: 'An order of one’s own.' })
  order(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return ownOrder(context, id);
  }

  @Allow('signed-in')
  @Query(() => OrderConnection, { description: 'One’s own orders, newest first.' })
  orders(
    @Ctx() context: OrderContext,
    @Arg('first', () => Int, { defaultValue: 20, description: '1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'An `endCursor`.' }) after?: string,
    @Arg('status', () => OrderStatus, { nullable: true, description: 'Only those.' })
    status?: OrderStatus,
  ) {
    return listOrders(context, identityOf(context).id, { first, after, status });
  }

  @Allow('own')
  @Mutation(() => CancelOrderResult, { description: 'Cancels an unpaid order of one’s own.' })
  cancelOrder(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return cancelOrder(context, id);
  }

  @Allow('own')
  @FieldResolver(() => User, { nullable: true, description: 'Who placed it.' })
  customer(@Root() order: Order): User {
    return { id: order.customerId };
  }

  @Allow('own')
  @FieldResolver(() => Money, { description: 'The sum of its lines.' })
  total(@Root() order: Order): Money {
    return money(order.totalAmount, order.currencyCode);
  }

  @Allow('own')
  @FieldResolver(() => [ShopOrder], { description: 'Its parts, one for each shop.' })
  shopOrders(@Root() order: Order, @Ctx() context: OrderContext) {
    return loaderOf(context, loadShopOrders).load(order.id);
  }

  @Allow('own')
  @FieldResolver(() => [Payment], { description: 'The attempts to pay it, oldest first.' })
  payments(@Root() order: Order, @Ctx() context: OrderContext) {
    return loaderOf(context, loadPayments).load(order.id);
  }
}
