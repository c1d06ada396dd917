import { IsOptional, Length } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import type { OrderContext } from '../context.js';
import { announceShipped } from '../warehouse-client/announce-units.js';
import { changeShopOrder } from './change-shop-order.js';

@InputType({ description: 'The shipment of a shop order.' })
export class ShipShopOrderInput {
  @Field(() => UUID, { description: 'Id of the shop order.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Carrier tracking number, 1 to 100 characters.',
  })
  @IsOptional()
  @Length(1, 100)
  trackingNumber?: string | null;
}

/**
 * Marks a paid shop order as shipped. Its units leave the stock of their warehouse.
 *
 * @throws as `changeShopOrder` does
 */
export function shipShopOrder(context: OrderContext, { id, trackingNumber }: ShipShopOrderInput) {
  const transition = { to: 'SHIPPED' as const, trackingNumber: trackingNumber ?? null };
  return changeShopOrder(context, id, transition, (em) => announceShipped(em, id));
}

/** Marks a shipped shop order as delivered. @throws as `changeShopOrder` does */
export const deliverShopOrder = (context: OrderContext, id: string) =>
  changeShopOrder(context, id, { to: 'DELIVERED' });
