import { createUnionType, Field, Int, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/refusal.js';
import { Allow } from '../../shared/rights.js';
import { UUID } from '../../shared/scalars.js';
import { Offer } from '../offer/offer.js';
import { Order } from '../order/order.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
} from '../payment/payment-result.js';

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
  implements: Refusal,
  description: 'The time to pay was up; the stock is back on the shelf.',
})
export class OrderExpired extends Refusal {
  @Field(() => Order, { description: 'The order, which is cancelled or about to be.' })
  order!: Order;
}

export const CheckoutResult = createUnionType({
  name: 'CheckoutResult',
  description: 'The order, or why there is none.',
  types: () =>
    [
      CheckoutSuccess,
      InsufficientStock,
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
