import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { identityOf } from '../../shared/auth/callers.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { ListMax } from '../../shared/graphql/list-max.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money, money } from '../../shared/money.js';
import { Allow, owns } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { User } from '../references.js';
import { visibleAddress } from './address-visibility.js';
import { listOrders } from './list-orders.js';
import { Order, OrderConnection } from './order.js';
import { OrderEventConnection } from './order-event.js';
import { historyOf } from './order-history.js';
import { ShippingAddress } from './shipping-address.js';
import { itemsMax, ShopOrder } from './shop-order.js';
import { OrderStatus } from './status.js';
import {
  findVisibleOrder,
  findVisibleShopOrders,
  lookupOf,
  requireCustomer,
} from './visible-orders.js';

@Resolver(() => Order)
export class OrderResolver {
  @Allow('own', 'shop-owner')
  @Query(() => Order, {
    nullable: true,
    description:
      'An order of the signed-in customer, or one with a shop order of the vendor’s shops.',
  })
  order(
    @Arg('id', () => UUID, { description: 'Id of the order.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return findVisibleOrder(context, lookupOf(context, id));
  }

  @Allow('signed-in')
  @Query(() => OrderConnection, { description: 'Orders of the signed-in customer, newest first.' })
  orders(
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => OrderStatus, {
      nullable: true,
      description: 'Only orders with this status.',
    })
    status?: OrderStatus,
  ) {
    return listOrders(context, identityOf(context).id, { first, after, status });
  }

  @Allow('own')
  @FieldResolver(() => User, {
    nullable: true,
    description: 'Customer who placed the order; null for a shop.',
  })
  customer(@Root() order: Order, @Ctx() context: OrderContext): User | null {
    return owns(context, order.customerId) ? { id: order.customerId } : null;
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => ShippingAddress, {
    nullable: true,
    description:
      'Shipping address. A shop sees it while its shop order is CONFIRMED, for 90 days after it is shipped, and for 30 days after it is delivered; otherwise null.',
  })
  shippingAddress(@Root() order: Order, @Ctx() context: OrderContext) {
    return visibleAddress(context, order);
  }

  @Allow('own')
  @FieldResolver(() => Money, { description: 'Sum of all lines, as ordered.' })
  total(@Root() order: Order, @Ctx() context: OrderContext): Money {
    requireCustomer(context, order, 'total of order');
    return money(order.totalAmount, order.currencyCode);
  }

  @Allow('own', 'shop-owner')
  @ListMax(itemsMax)
  @FieldResolver(() => [ShopOrder], {
    description: 'Shop orders, one for each shop. A shop sees only its own.',
  })
  shopOrders(@Root() order: Order, @Ctx() context: OrderContext) {
    return findVisibleShopOrders(context, order);
  }

  @Allow('own', 'shop-owner')
  @FieldResolver(() => OrderEventConnection, {
    description:
      'History, oldest first. A shop sees events of its own shop order and the order’s status.',
  })
  history(
    @Root() order: Order,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) page: PageArgs,
  ) {
    return historyOf(context, order, page);
  }
}
