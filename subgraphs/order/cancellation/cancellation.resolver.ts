import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { ShopOrderResult } from '../fulfilment/shop-order-result.js';
import { CancelOrderResult, cancelOrder } from './cancel-order.js';
import { CancelShopOrderInput, cancelShopOrder } from './cancel-shop-order.js';

@Resolver()
export class CancellationResolver {
  @Allow('own')
  @Mutation(() => CancelOrderResult, {
    description:
      'Cancels an order of the signed-in customer that is not shipped yet. A payment is refunded.',
  })
  cancelOrder(
    @Arg('id', () => UUID, { description: 'Id of the order.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return cancelOrder(context, id);
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, {
    description:
      'Cancels a shop order that is paid and not shipped yet. It is refunded; the reason decides what becomes of its units.',
  })
  cancelShopOrder(
    @Arg('input', () => CancelShopOrderInput) input: CancelShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    return cancelShopOrder(context, input);
  }
}
