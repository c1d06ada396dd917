import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { ShopOrderResult } from '../fulfilment/shop-order-result.js';
import { CancelOrderResult, cancelOrder } from './cancel-order.js';
import { cancelShopOrder } from './cancel-shop-order.js';

@Resolver()
export class CancellationResolver {
  @Allow('own')
  @Mutation(() => CancelOrderResult, {
    description: 'Cancels an order of one’s own that is not shipped yet; what was paid goes back.',
  })
  cancelOrder(
    @Arg('id', () => UUID, { description: 'Its id.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return cancelOrder(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, {
    description: 'Cancels a shop’s part that is paid and not shipped; its money goes back.',
  })
  cancelShopOrder(
    @Arg('id', () => UUID, { description: 'The part.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return cancelShopOrder(context, id);
  }
}
