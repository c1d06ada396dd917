import { ArrayMaxSize, ArrayMinSize, IsOptional, ValidateNested } from 'class-validator';
import { Field, InputType } from 'type-graphql';
import type { ShopCancelReason as Reason } from '../../contracts/cancel-reasons.js';
import type { Once } from '../../shared/database/transact.js';
import { badInput } from '../../shared/errors.js';
import { enumOf } from '../../shared/graphql/enum-of.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import type { OrderContext } from '../context.js';
import { type ChangingShopOrder, changeShopOrder } from '../fulfilment/change-shop-order.js';
import { changeShopOrders, recordUnitsCancelled } from '../fulfilment/change-shop-orders.js';
import type { ShopOrderResult } from '../fulfilment/shop-order-result.js';
import { itemsMax } from '../order/shop-order.js';
import { ShopOrderLineInput } from '../order/shop-order-line-input.js';
import type { CancelReason } from '../order/status.js';
import {
  type CancelledUnits,
  cancelAllUnits,
  cancelUnits,
} from '../order/transitions/cancel-units.js';
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

@InputType({ description: 'The cancellation of a shop order, or of units of it.' })
export class CancelShopOrderInput {
  @Field(() => UUID, { description: 'Id of the shop order.' })
  id!: string;

  @Field(() => [ShopOrderLineInput], {
    nullable: true,
    description:
      'The units to cancel, 1 to 100 lines; by default all that are left. Once none is left, the shop order is CANCELLED. With `lines` an `idempotencyKey` is required.',
  })
  @IsOptional()
  @ArrayMinSize(1)
  @ArrayMaxSize(itemsMax)
  @ValidateNested({ each: true })
  lines?: ShopOrderLineInput[] | null;

  @Field(() => ShopCancelReason, { description: 'Why, as the history of the order shows it.' })
  reason!: Reason;

  @Field(() => [String], {
    nullable: true,
    description:
      'The variants that the reason is about; by default all. Units of the others can be sold again.',
  })
  @IsOptional()
  @ArrayMinSize(1)
  @ArrayMaxSize(itemsMax)
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
 * Cancels units of a paid shop order that is not shipped yet: they are refunded, and the reason decides what
 * becomes of them. A shop order without units left is cancelled.
 *
 * @throws as `changeShopOrder` does; `BAD_USER_INPUT` for lines without an idempotency key, a line that is not in
 *   the shop order, more units than are left, or a variant of which no unit is cancelled
 */
export function cancelShopOrder(
  context: OrderContext,
  { id, lines, reason: why, skus, note }: CancelShopOrderInput,
  once?: Once<typeof ShopOrderResult>,
) {
  if (lines && !once) throw badInput({ 'input.idempotencyKey': 'is required with `lines`' });
  const to = 'CANCELLED';
  const cancel = async ({ em, order, actor }: ChangingShopOrder) => {
    const { customerId } = order;
    const { cancelled, left } = lines
      ? await cancelUnits(em, { customerId, id }, lines)
      : { cancelled: await cancelAllUnits(em, customerId, [id]), left: 0 };
    const units = lines ? `${unitsText(cancelled)}; ` : '';
    const details = `${units}${note ? `${why}: ${note}` : why}`;
    const isPartial = left > 0;
    if (isPartial) await recordUnitsCancelled(em, order, { shopOrderId: id, actor, details });
    else await changeShopOrders(em, order, { shopOrderIds: [id], to, actor, reason, details });
    const reversal = { actor, reason, units: { reason: why, skus }, isPartial };
    await reverseSale(em, order, cancelled, reversal);
    return null;
  };
  return changeShopOrder<never>(context, { id, to }, cancel, once);
}

/** "2 × MUG-BLUE, 1 × MUG-RED" */
const unitsText = (cancelled: readonly CancelledUnits[]) =>
  cancelled.map(({ quantity, sku }) => `${quantity} × ${sku}`).join(', ');
