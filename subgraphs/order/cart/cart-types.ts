import { Max, Min } from 'class-validator';
import { createUnionType, Field, InputType, Int } from 'type-graphql';
import { UUID } from '../../shared/graphql/scalars.js';
import { KeyField } from '../../shared/idempotency/key-field.js';
import { Cart } from './cart.js';
import { InsufficientStock, OfferGone, PurchaseLimitExceeded } from './cart-refusals.js';
import { quantityMax } from './change-cart.js';
import { SaleNotOpen } from './sale-not-open.js';

@InputType({ description: 'Units of one offer to add to the cart.' })
export class AddToCartInput {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

  @Field(() => UUID, {
    nullable: true,
    description:
      'The sale in which the units are to be bought, which may start later; null for the regular price.',
  })
  saleId?: string | null;

  @Field(() => Int, { defaultValue: 1, description: 'Units to add, 1 to 10,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;

  @KeyField()
  idempotencyKey?: string | null;
}

@InputType({ description: 'The units of one offer in the cart.' })
export class SetCartItemInput {
  @Field(() => UUID, { description: 'The offer.' })
  offerId!: string;

  @Field(() => UUID, {
    nullable: true,
    description:
      'The sale in which the units are to be bought, which may start later; null for the regular price.',
  })
  saleId?: string | null;

  @Field(() => Int, { description: 'Units, 1 to 10,000.' })
  @Min(1)
  @Max(quantityMax)
  quantity!: number;
}

export const CartResult = createUnionType({
  name: 'CartResult',
  description: 'The cart after the change, or why it was not changed.',
  types: () => [Cart, InsufficientStock, PurchaseLimitExceeded, OfferGone, SaleNotOpen] as const,
});
