import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import type { Once } from '../../shared/database/transact.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { OrderContext } from '../context.js';
import { findPaymentDisputed, type PaymentDisputed } from '../payment/dispute/payment-disputed.js';
import { announceShipped } from '../warehouse-client/announce-units.js';
import { type ChangingShopOrder, changeShopOrder } from './change-shop-order.js';
import { changeShopOrders } from './change-shop-orders.js';
import type { ShipShopOrderResult, ShopOrderResult } from './shop-order-result.js';

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

  @Field(() => Boolean, {
    defaultValue: false,
    description: 'Ships it even if the payment is disputed.',
  })
  shipDisputed!: boolean;

  @KeyField()
  idempotencyKey?: string | null;
}

const advice = {
  OPEN: 'Set shipDisputed to ship nevertheless.',
  LOST: 'Set shipDisputed to ship nevertheless.',
};

/**
 * Marks a paid shop order as shipped, unless its payment is disputed. Its units leave the stock of their
 * warehouse.
 *
 * @throws as `changeShopOrder` does
 */
export function shipShopOrder(
  context: OrderContext,
  { id, trackingNumber = null, shipDisputed }: ShipShopOrderInput,
  once?: Once<typeof ShipShopOrderResult>,
): Promise<typeof ShipShopOrderResult> {
  const ship = async ({ em, order, actor }: ChangingShopOrder): Promise<PaymentDisputed | null> => {
    const disputed = shipDisputed ? null : await findPaymentDisputed(em, order, advice);
    if (disputed) return disputed;
    const change = { shopOrderIds: [id], to: 'SHIPPED' as const, actor, trackingNumber };
    await changeShopOrders(em, order, change);
    await announceShipped(em, { customerId: order.customerId, id });
    return null;
  };
  return changeShopOrder(context, { id, to: 'SHIPPED' }, ship, once);
}

/** Marks a shipped shop order as delivered. @throws as `changeShopOrder` does */
export function deliverShopOrder(
  context: OrderContext,
  id: string,
  once?: Once<typeof ShopOrderResult>,
) {
  const to = 'DELIVERED';
  const deliver = async ({ em, order, actor }: ChangingShopOrder) => {
    await changeShopOrders(em, order, { shopOrderIds: [id], to, actor });
    return null;
  };
  return changeShopOrder<never>(context, { id, to }, deliver, once);
}
