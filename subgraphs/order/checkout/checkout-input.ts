import {
  ArrayMaxSize,
  ArrayMinSize,
  IsOptional,
  Length,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';
import { Amount, OneLine } from '../../shared/graphql/validation.js';
import { lineKeyOf } from '../cart/cart.js';
import { quantityMax } from '../cart/change-cart.js';
import { itemsMax } from '../order/shop-order.js';
import { ShippingAddressInput } from './shipping-address-input.js';

// As many as the column has.
const totalDigitsMax = 12;

@InputType({ description: 'Units of one offer, at its regular price or in a sale.' })
export class CheckoutItemInput {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

  @Field(() => UUID, {
    nullable: true,
    description:
      'The sale in which the units are bought, at its price; refused while it is not LIVE. If null, the regular price applies.',
  })
  saleId?: string | null;

  @Field(() => Int, { description: 'Units, 1 to 10,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;
}

@InputType({ description: 'What to order, and where to ship it.' })
export class CheckoutInput {
  @Field(() => String, {
    description:
      'Chosen by the client, 1 to 255 characters. A repeated request with the same key gets the same answer.',
  })
  @Length(1, 255)
  idempotencyKey!: string;

  @Field(() => [CheckoutItemInput], {
    nullable: true,
    description:
      'Lines to order, 1 to 100; several lines of one offer at the same price are added up: its regular one, or that of a sale. If omitted, the whole cart is ordered.',
  })
  @IsOptional()
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(itemsMax)
  items?: CheckoutItemInput[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Payment method, 1 to 50 characters. The order is paid at once, and cancelled if the payment is declined. ' +
      'If null, the order waits for `payOrder`.',
  })
  @IsOptional()
  @OneLine(50)
  paymentMethod?: string | null;

  @Field(() => ShippingAddressInput, {
    nullable: true,
    description: 'Shipping address. Either this or `addressId` is required.',
  })
  @IsOptional()
  @ValidateNested()
  shippingAddress?: ShippingAddressInput | null;

  @Field(() => UUID, {
    nullable: true,
    description:
      'A saved address of the customer, complete with recipient, street, city, zip and country.',
  })
  addressId?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description:
      'Total that the customer has seen; another total is refused with PriceChanged. If omitted, current prices apply without a check.',
  })
  @IsOptional()
  @Amount(totalDigitsMax)
  expectedTotal?: string | null;
}

/** Adds up the lines of each offer, those of a sale by themselves. @throws `BAD_USER_INPUT` for a sum beyond the limit of a line */
export function mergeItems(items: readonly CheckoutItemInput[]): CheckoutItemInput[] {
  const byLine = new Map<string, CheckoutItemInput>();
  for (const [at, { offerId, saleId, quantity }] of items.entries()) {
    const key = lineKeyOf(offerId, saleId);
    const sum = quantity + (byLine.get(key)?.quantity ?? 0);
    if (sum > quantityMax) {
      throw badInput({ [`input.items[${at}].quantity`]: `adds up to more than ${quantityMax}` });
    }
    // Without a sale, the fingerprint of the request is what it was before there were sales.
    byLine.set(key, { offerId, quantity: sum, ...(saleId && { saleId }) });
  }
  return [...byLine.values()];
}
