import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money, money } from '../../shared/money.js';
import { Allow, owns } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { User } from '../references.js';
import { listOrders } from './list-orders.js';
import { Order, OrderConnection } from './order.js';
import { OrderEvent } from './order-event.js';
import { historyOf } from './order-history.js';
import { ShopOrder } from './shop-order.js';
import { OrderStatus } from './status.js';
import { findVisibleOrder, findVisibleShopOrders, requireCustomer } from './visible-orders.js';

@Resolver(() => Order)
export class OrderResolver {
  @Allow('own', 'shop-owner')
  @Query(() => Order, {
    nullable: true,
    description: 'An order of one’s own, or one of which a shop of one’s own serves a part.',
  })
  order(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return findVisibleOrder(context, id);
  }

  @Allow('signed-in')
  @Query(() => OrderConnection, { description: 'One’s own orders, newest first.' })
  orders(
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => OrderStatus, { nullable: true, description: 'Only those.' })
    status?: OrderStatus,
  ) {
    return listOrders(context, identityOf(context).id, { first, after, status });
  }

  @Allow('own')
  @FieldResolver(() => User, { nullable: true, description: 'Who placed it.' })
  customer(@Root() order: Order, @Ctx() context: OrderContext): User | null {
    return owns(context, order.customerId) ? { id: order.customerId } : null;
  }

  @Allow('own')
  @FieldResolver(() => Money, { description: 'The sum of its lines.' })
  total(@Root() order: Order, @Ctx() context: OrderContext): Money {
    requireCustomer(context, order, 'total of order');
    return money(order.totalAmount, order.currencyCode);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => [ShopOrder], {
    description: 'Its parts, one for each shop; a shop sees its own.',
  })
  shopOrders(@Root() order: Order, @Ctx() context: OrderContext) {
    return findVisibleShopOrders(context, order);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => [OrderEvent], {
    description:
      'What happened to it, oldest first; a shop sees what became of its own part and of the whole.',
  })
  history(@Root() order: Order, @Ctx() context: OrderContext) {
    return historyOf(context, order);
  }
}
