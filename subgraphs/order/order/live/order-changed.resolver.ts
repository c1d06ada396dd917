import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { identityOf } from '../../../shared/auth/callers.js';
import { notFound } from '../../../shared/errors.js';
import { UUID } from '../../../shared/graphql/scalars.js';
import { BeginsWithSnapshot } from '../../../shared/graphql/schema.js';
import { Allow } from '../../../shared/rights/rights.js';
import { Order } from '../order.js';
import { findVisibleOrder, lookupOf } from '../visible-orders.js';
import type { LiveContext } from './order-feeds.js';

@Resolver()
export class OrderChangedResolver {
  @Allow('own', 'shop-owner')
  @BeginsWithSnapshot()
  @Subscription(() => Order, {
    description: 'The current order, then the order after each change of it or of a shop order.',
    subscribe: ({ args, context }) => openFeed(args.id, context as LiveContext),
  })
  orderChanged(
    @Root() order: Order,
    @Arg('id', () => UUID, { description: 'Id of the order.' }) _id: string,
  ): Order {
    return order;
  }
}

async function openFeed(id: string, context: LiveContext) {
  identityOf(context);
  if (!(await findVisibleOrder(context, lookupOf(context, id)))) throw notFound('order', id);
  return context.app.feeds.open(id);
}
