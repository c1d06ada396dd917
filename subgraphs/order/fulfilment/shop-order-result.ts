import { createUnionType, Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Allow } from '../../shared/rights/rights.js';
import { ShopOrder } from '../order/shop-order.js';
import { OrderStatus } from '../order/status.js';

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The part is not where this step begins.' })
export class WrongShopOrderStatus extends Refusal {
  @Field(() => OrderStatus, { description: 'How far it is.' })
  status!: OrderStatus;
}

export const ShopOrderResult = createUnionType({
  name: 'ShopOrderResult',
  description: 'The part as it is now, or why it stays as it was.',
  types: () => [ShopOrder, WrongShopOrderStatus] as const,
});
