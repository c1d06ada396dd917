import { createUnionType, Field, ObjectType } from 'type-graphql';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Money } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import { InsufficientStock, OfferGone, PurchaseLimitExceeded } from '../cart/cart-refusals.js';
import { Order, OrderExpired } from '../order/order.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
} from '../payment/payment-result.js';
import { Offer } from '../references.js';

@Allow('parent')
@ObjectType({ description: 'The order is placed and its stock is held until `order.expiresAt`.' })
export class CheckoutSuccess {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;
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
