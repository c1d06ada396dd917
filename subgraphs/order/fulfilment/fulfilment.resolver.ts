import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { deliverShopOrder, ShipShopOrderInput, shipShopOrder } from './fulfil-shop-order.js';
import { ShopOrderResult } from './shop-order-result.js';

@Resolver()
export class FulfilmentResolver {
  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Marks a paid shop order as shipped.' })
  shipShopOrder(
    @Arg('input', () => ShipShopOrderInput) input: ShipShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    return shipShopOrder(context, input);
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Marks a shipped shop order as delivered.' })
  deliverShopOrder(
    @Arg('id', () => UUID, { description: 'Id of the shop order.' }) id: string,
    @Ctx() context: OrderContext,
  ) {
    return deliverShopOrder(context, id);
  }
}
