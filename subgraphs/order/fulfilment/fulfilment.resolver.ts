import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyArg } from '../../shared/idempotency/key-field.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { ShopOrder } from '../order/shop-order.js';
import { PaymentDisputed } from '../payment/dispute/payment-disputed.js';
import { deliverShopOrder, ShipShopOrderInput, shipShopOrder } from './fulfil-shop-order.js';
import { ShipShopOrderResult, ShopOrderResult, WrongShopOrderStatus } from './shop-order-result.js';

const results = [ShopOrder, WrongShopOrderStatus];
const shipResults = [...results, PaymentDisputed];

@Resolver()
export class FulfilmentResolver {
  @Allow('shop-owner')
  @Mutation(() => ShipShopOrderResult, { description: 'Marks a paid shop order as shipped.' })
  shipShopOrder(
    @Arg('input', () => ShipShopOrderInput) input: ShipShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    const mutation = { operation: 'shipShopOrder', input, results: shipResults };
    return runOnce(context, mutation, (once) => shipShopOrder(context, input, once));
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, { description: 'Marks a shipped shop order as delivered.' })
  deliverShopOrder(
    @Arg('id', () => UUID, { description: 'Id of the shop order.' }) id: string,
    @Ctx() context: OrderContext,
    @KeyArg() idempotencyKey?: string,
  ) {
    const mutation = { operation: 'deliverShopOrder', input: { id, idempotencyKey }, results };
    return runOnce(context, mutation, (once) => deliverShopOrder(context, id, once));
  }
}
