import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import type { Once } from '../../shared/database/transact.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { OrderContext } from '../context.js';
import { announceShipped } from '../warehouse-client/announce-units.js';
import { changeShopOrder } from './change-shop-order.js';
import type { ShopOrderResult } from './shop-order-result.js';

@InputType({ description: 'The shipment of a shop order.' })
export class ShipShopOrderInput {
  @Field(() => UUID, { description: 'Id of the shop order.' })
  id!: string;

  @Field(() => String, {
    nullable: true,
    description: 'Carrier tracking number, 1 to 100 characters.',
  })
  @IsOptional()
  @OneLine(100)
  trackingNumber?: string | null;

  @KeyField()
  idempotencyKey?: string | null;
}

type OnceChanged = Once<typeof ShopOrderResult>;

/**
 * Marks a paid shop order as shipped. Its units leave the stock of their warehouse.
 *
 * @throws as `changeShopOrder` does
 */
export function shipShopOrder(
  context: OrderContext,
  { id, trackingNumber = null }: ShipShopOrderInput,
  once?: OnceChanged,
) {
  const afterTransition = (em: typeof context.em) => announceShipped(em, id);
  const transition = { to: 'SHIPPED' as const, trackingNumber };
  return changeShopOrder(context, id, transition, { afterTransition, once });
}

/** Marks a shipped shop order as delivered. @throws as `changeShopOrder` does */
export const deliverShopOrder = (context: OrderContext, id: string, once?: OnceChanged) =>
  changeShopOrder(context, id, { to: 'DELIVERED' }, { once });
