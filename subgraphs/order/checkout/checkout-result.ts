import { createUnionType, Field, Int, ObjectType } from 'type-graphql';
import { Refusal, result } from '../../shared/graphql/refusal.js';
import { UUID } from '../../shared/graphql/scalars.js';
import { Money } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import { Order } from '../order/order.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
} from '../payment/payment-result.js';
import type { LimitFact } from '../purchase-limit/count-purchases.js';
import { Offer } from '../references.js';

@Allow('parent')
@ObjectType({ description: 'The order is placed and its stock is held until `order.expiresAt`.' })
export class CheckoutSuccess {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;
}

@Allow('parent')
@ObjectType({ description: 'A line of which there was not enough.' })
export class ShortLine {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => Int, { description: 'Units that were asked for.' })
  requested!: number;

  @Field(() => Int, { description: 'Units that were left when it was decided.' })
  available!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'There was not enough of something; nothing is held.',
})
export class InsufficientStock extends Refusal {
  @Field(() => [ShortLine], { description: 'Of what, and how many were left.' })
  lines!: ShortLine[];
}

@Allow('parent')
@ObjectType({ description: 'A line that would pass the purchase limit of its offer.' })
export class LimitedLine {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => Int, { description: 'How many units one customer may buy.' })
  limit!: number;

  @Field(() => Int, { description: 'Units bought before, in orders that are not cancelled.' })
  already!: number;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'A customer may not have that many of something; nothing was changed.',
})
export class PurchaseLimitExceeded extends Refusal {
  @Field(() => [LimitedLine], { description: 'Of what, and how many were bought before.' })
  lines!: LimitedLine[];
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'An offer does not exist or is not for sale any more; nothing is held.',
})
export class OfferGone extends Refusal {
  @Field(() => [UUID], { description: 'Which ones.' })
  offerIds!: string[];
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The prices are in more than one currency; order from those shops apart.',
})
export class MixedCurrencies extends Refusal {
  @Field(() => [String], { description: 'Which ones; ISO 4217.' })
  currencyCodes!: string[];
}

@Allow('parent')
@ObjectType({
  description: 'A line that does not cost what it did, or of which that is not known.',
})
export class ChangedPrice {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => Money, {
    nullable: true,
    description: 'The price of one unit in the cart; null where it is not there.',
  })
  oldPrice!: Money | null;

  @Field(() => Money, { description: 'The price of one unit now.' })
  newPrice!: Money;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The total is not the `expectedTotal`; nothing is ordered.',
})
export class PriceChanged extends Refusal {
  @Field(() => [ChangedPrice], { description: 'Which lines are why, as far as is known.' })
  lines!: ChangedPrice[];

  @Field(() => Money, { description: 'The total that was expected.' })
  expected!: Money;

  @Field(() => Money, { description: 'The total at this moment.' })
  actual!: Money;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'There was nothing in the cart to order.' })
export class CartEmpty extends Refusal {}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The time to pay was up; the stock is back on the shelf.',
})
export class OrderExpired extends Refusal {
  @Field(() => Order, { description: 'The order, which is cancelled or about to be.' })
  order!: Order;
}

/** The refusal of what would pass a purchase limit. */
export function limitExceeded(lines: readonly LimitFact[]): PurchaseLimitExceeded {
  return result(PurchaseLimitExceeded, {
    message: 'That is more than one customer may buy.',
    lines: lines.map(({ offerId, ...line }) => {
      return result(LimitedLine, { ...line, offer: { id: offerId } });
    }),
  });
}

export const CheckoutResult = createUnionType({
  name: 'CheckoutResult',
  description: 'The order, or why there is none.',
  types: () =>
    [
      CheckoutSuccess,
      InsufficientStock,
      PurchaseLimitExceeded,
      PriceChanged,
      CartEmpty,
      OfferGone,
      MixedCurrencies,
      OrderExpired,
      PaymentSuccess,
      PaymentPending,
      PaymentActionRequired,
      PaymentDeclined,
      OrderNotPayable,
    ] as const,
});
