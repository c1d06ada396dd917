import { ArrayMaxSize, ArrayMinSize, IsOptional } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import type { ShopCancelReason as Reason } from '../../contracts/cancel-reasons.js';
import type { Once } from '../../shared/database/transact.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { OrderContext } from '../context.js';
import { changeShopOrder } from '../fulfilment/change-shop-order.js';
import type { ShopOrderResult } from '../fulfilment/shop-order-result.js';
import type { CancelReason } from '../order/status.js';
import { reverseSale } from './reverse-sale.js';

export const ShopCancelReason = enumOf<Reason>(
  'ShopCancelReason',
  'Why a shop cancels a paid shop order. It decides what becomes of the units.',
  {
    OUT_OF_STOCK: 'The units are missing: they leave the stock.',
    DAMAGED: 'The units are damaged: they stay in the warehouse, and become unavailable.',
    CUSTOMER_REQUEST: 'The customer asked for it. The units can be sold again.',
    FRAUD: 'The order looks like fraud. The units can be sold again.',
    PRICING_ERROR: 'The price was wrong. The units can be sold again.',
    OTHER: 'Another reason; say which in `note`. The units can be sold again.',
  },
);

/** Lines of one order. */
const skusMax = 100;

@InputType({ description: 'The cancellation of a shop order.' })
export class CancelShopOrderInput {
  @Field(() => UUID, { description: 'Id of the shop order.' })
  id!: string;

  @Field(() => ShopCancelReason, { description: 'Why, as the history of the order shows it.' })
  reason!: Reason;

  @Field(() => [String], {
    nullable: true,
    description:
      'The variants that the reason is about; by default all. Units of the others can be sold again.',
  })
  @IsOptional()
  @ArrayMinSize(1)
  @ArrayMaxSize(skusMax)
  @OneLine(64, { each: true })
  skus?: string[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Details, which the history of the order shows after the reason; 1 to 200 characters.',
  })
  @IsOptional()
  @OneLine(200)
  note?: string | null;

  @KeyField()
  idempotencyKey?: string | null;
}

const reason: CancelReason = 'BY_SHOP';

/**
 * Cancels a paid shop order that is not shipped yet: it is refunded, and its reason decides what becomes
 * of its units.
 *
 * @throws as `changeShopOrder` does; `BAD_USER_INPUT` for a variant that is not in the shop order
 */
export function cancelShopOrder(
  context: OrderContext,
  { id, reason: why, skus, note }: CancelShopOrderInput,
  once?: Once<typeof ShopOrderResult>,
) {
  const details = note ? `${why}: ${note}` : why;
  const transition = { to: 'CANCELLED' as const, reason, details };
  return changeShopOrder(context, id, transition, {
    afterTransition: (em, order, shopOrder, actor) =>
      reverseSale(em, order, [shopOrder], { actor, reason, units: { reason: why, skus } }),
    once,
  });
}
