import {
  ArrayMaxSize,
  ArrayMinSize,
  IsOptional,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { Field, InputType, Int } from 'type-graphql';
import { badInput } from '../../shared/errors.js';
import { Decimal, UUID } from '../../shared/graphql/scalars.js';
import { OneLine } from '../../shared/graphql/validation.js';
import { quantityMax } from '../cart/change-cart.js';
import { ShippingAddress } from '../order/order.js';

export const itemsMax = 100;

@InputType({ description: 'Units of one offer.' })
export class CheckoutItemInput {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

  @Field(() => Int, { description: 'How many units, 1 to 10,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;
}

@InputType({ description: 'What is bought, and where it goes.' })
export class CheckoutInput {
  @Field(() => String, {
    description: 'Chosen by the client, 1 to 255 characters: sent again, it gets the same answer.',
  })
  @Length(1, 255)
  idempotencyKey!: string;

  @Field(() => [CheckoutItemInput], {
    nullable: true,
    description:
      'What is bought, 1 to 100 lines; an offer that stands twice is added up. Left out: all that is in the cart.',
  })
  @IsOptional()
  @ValidateNested({ each: true })
  @ArrayMinSize(1)
  @ArrayMaxSize(itemsMax)
  items?: CheckoutItemInput[] | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Pays at once with it, 1 to 50 characters, and keeps the order only where that is not declined; ' +
      'null: the order waits for `payOrder`.',
  })
  @IsOptional()
  @OneLine(50)
  paymentMethod?: string | null;

  @Field(() => ShippingAddress, {
    nullable: true,
    description: 'Where it goes; this, or `addressId`.',
  })
  @IsOptional()
  @ValidateNested()
  shippingAddress?: ShippingAddress | null;

  @Field(() => UUID, {
    nullable: true,
    description: 'An address of one’s own, with street, city, zip and country, to which it goes.',
  })
  addressId?: string | null;

  @Field(() => Decimal, {
    nullable: true,
    description:
      'What it is to cost: another total is refused with PriceChanged. Left out: what it costs at this moment, whatever it cost in the cart.',
  })
  @IsOptional()
  @Matches(/^\d{1,12}(\.\d{1,2})?$/, { message: 'must be 0 or more, with at most two decimals' })
  expectedTotal?: string | null;
}

/** One line for each offer. @throws `BAD_USER_INPUT` when a sum is more than a line may have */
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
