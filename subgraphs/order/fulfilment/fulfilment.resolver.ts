import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { deliverShopOrder, ShipShopOrderInput, shipShopOrder } from './fulfil-shop-order.js';
import { ShopOrderResult } from './shop-order-result.js';

@Resolver()
export class FulfilmentResolver {
  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Says that a shop’s part is on its way.' })
  shipShopOrder(
    @Arg('input', () => ShipShopOrderInput) input: ShipShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    return shipShopOrder(context, input);
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Says that a shop’s part arrived.' })
  deliverShopOrder(
    @Arg('id', () => UUID, { description: 'The part.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return deliverShopOrder(context, id);
  }
}
