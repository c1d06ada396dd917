import { IsOptional, Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import type { OrderContext } from '../context.js';
import { changeShopOrder } from './change-shop-order.js';

@InputType({ description: 'A shop’s part of an order that is on its way.' })
export class ShipShopOrderInput {
  @Field(() => UUID, { description: 'The part.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'By which its carrier knows the parcel; at most 100 characters.',
  })
  @IsOptional()
  @Length(1, 100)
  trackingNumber?: string | null;
}

/** Says that a shop’s part of a paid order is on its way; @throws as `changeShopOrder` does */
export function shipShopOrder(context: OrderContext, { id, trackingNumber }: ShipShopOrderInput) {
  return changeShopOrder(context, id, { to: 'SHIPPED', trackingNumber: trackingNumber ?? null });
}

/** Says that a shop’s part of an order arrived; @throws as `changeShopOrder` does */
export const deliverShopOrder = (context: OrderContext, id: string) =>
  changeShopOrder(context, id, { to: 'DELIVERED' });
