import { Arg, Args, Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { forbidden } from '../../shared/errors.js';
import { PageArgs } from '../../shared/graphql/connection.js';
import { Allow, owns } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { User } from '../references.js';
import { listOrders } from './list-orders.js';
import { OrderConnection } from './order.js';
import { OrderStatus } from './status.js';

@Resolver(() => User)
export class UserResolver {
  @Allow('self')
  @FieldResolver(() => OrderConnection, {
    nullable: true,
    description: 'Orders of the user, newest first. Visible to the user and admins only.',
  })
  orders(
    @Root() user: User,
    @Ctx() context: OrderContext,
    @Args(() => PageArgs) { first, after }: PageArgs,
    @Arg('status', () => OrderStatus, {
      nullable: true,
      description: 'Only orders with this status.',
    })
    status?: OrderStatus,
  ) {
    if (!owns(context, user.id)) throw forbidden();
    return listOrders(context, user.id, { first, after, status });
  }
}
