import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyArg } from '../../shared/idempotency/key-field.js';
import { runOnce } from '../../shared/idempotency/run-once.js';
import { Allow } from '../../shared/rights/rights.js';
import type { OrderContext } from '../context.js';
import { ShopOrderResult, WrongShopOrderStatus } from '../fulfilment/shop-order-result.js';
import { Order } from '../order/order.js';
import { ShopOrder } from '../order/shop-order.js';
import { CancelOrderResult, cancelOrder, OrderNotCancellable } from './cancel-order.js';
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
    @KeyArg() idempotencyKey?: string,
  ) {
    const results = [Order, OrderNotCancellable];
    const mutation = { operation: 'cancelOrder', input: { id, idempotencyKey }, results };
    return runOnce(context, mutation, (once) => cancelOrder(context, id, once));
  }

  @Allow('shop-owner')
  @Mutation(() => ShopOrderResult, {
    description:
      'Cancels a shop order that is paid and not shipped yet, or units of it. They are refunded; the reason decides what becomes of them.',
  })
  cancelShopOrder(
    @Arg('input', () => CancelShopOrderInput) input: CancelShopOrderInput,
    @Ctx() context: OrderContext,
  ) {
    const results = [ShopOrder, WrongShopOrderStatus];
    const mutation = { operation: 'cancelShopOrder', input, results };
    return runOnce(context, mutation, (once) => cancelShopOrder(context, input, once));
  }
}
