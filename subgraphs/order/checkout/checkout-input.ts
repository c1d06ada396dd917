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
import { quantityMax } from '../cart/change-cart.js';
import { itemsMax } from '../order/shop-order.js';
import { ShippingAddressInput } from './shipping-address-input.js';

// As many as the column has.
const totalDigitsMax = 12;

@InputType({ description: 'Units of one offer.' })
export class CheckoutItemInput {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

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
      'Lines to order, 1 to 100; several lines of one offer are added up. If omitted, the whole cart is ordered.',
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

/** Adds up the lines of each offer. @throws `BAD_USER_INPUT` for a sum beyond the limit of a line */
export function mergeItems(items: readonly CheckoutItemInput[]): CheckoutItemInput[] {
  const byOffer = new Map<string, CheckoutItemInput>();
  for (const [at, { offerId, quantity }] of items.entries()) {
    const sum = quantity + (byOffer.get(offerId)?.quantity ?? 0);
    if (sum > quantityMax) {
      throw badInput({ [`input.items[${at}].quantity`]: `adds up to more than ${quantityMax}` });
    }
    byOffer.set(offerId, { offerId, quantity: sum });
  }
  return [...byOffer.values()];
}
