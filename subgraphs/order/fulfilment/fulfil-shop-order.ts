import type { EntityManager } from '@mikro-orm/postgresql';
import { IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import { sql } from '../../shared/database/sql.js';
import type { Once } from '../../shared/database/transact.js';
import { result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { OrderContext } from '../context.js';
import { type DisputeStatus, isBlockingDispute } from '../payment/state/status.js';
import { announceShipped } from '../warehouse-client/announce-units.js';
import { changeShopOrder } from './change-shop-order.js';
import {
  PaymentDisputed,
  type ShipShopOrderResult,
  type ShopOrderResult,
} from './shop-order-result.js';

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
  const transition = { to: 'SHIPPED' as const, trackingNumber };
  return changeShopOrder<PaymentDisputed>(context, id, transition, {
    refusalOf: async (em, order) => (shipDisputed ? null : findDispute(em, order.id)),
    afterTransition: (em) => announceShipped(em, id),
    once,
  });
}

/** The refusal for an order of which any payment has a dispute that blocks it. */
async function findDispute(em: EntityManager, orderId: string): Promise<PaymentDisputed | null> {
  const [dispute] = await sql<{ status: DisputeStatus; reason: string }>(
    em,
    `select d.status, d.reason from payment p join dispute d on d.payment_id = p.id
     where p.order_id = $1 and ${isBlockingDispute('d.status')} order by d.id limit 1`,
    [orderId],
  );
  if (!dispute) return null;
  const { status, reason } = dispute;
  const message =
    status === 'LOST'
      ? 'The customer has the money back by a dispute. Set shipDisputed to ship nevertheless.'
      : 'The customer disputes the payment. Set shipDisputed to ship nevertheless.';
  return result(PaymentDisputed, { message, disputeStatus: status, reason });
}

type OnceDelivered = Once<typeof ShopOrderResult>;

/** Marks a shipped shop order as delivered. @throws as `changeShopOrder` does */
export const deliverShopOrder = (context: OrderContext, id: string, once?: OnceDelivered) =>
  changeShopOrder(context, id, { to: 'DELIVERED' }, { once });
