import { createUnionType, Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { ShopOrder } from '../order/shop-order.js';
import { OrderStatus } from '../order/status.js';
import { PaymentDisputed } from '../payment/dispute/payment-disputed.js';

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The status of the shop order does not allow this change.',
})
export class WrongShopOrderStatus extends Refusal {
  @Field(() => OrderStatus, { description: 'Current status.' })
  status!: OrderStatus;
}

export const ShipShopOrderResult = createUnionType({
  name: 'ShipShopOrderResult',
  description: 'The shipped shop order, or why it was not shipped.',
  types: () => [ShopOrder, WrongShopOrderStatus, PaymentDisputed] as const,
});

export const ShopOrderResult = createUnionType({
  name: 'ShopOrderResult',
  description: 'The shop order after the change, or why it was not changed.',
  types: () => [ShopOrder, WrongShopOrderStatus] as const,
});
