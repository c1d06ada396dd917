import { createUnionType, Field, ObjectType } from 'type-graphql';
import { ListMax } from '../../shared/graphql/list-max.js';
import { Refusal } from '../../shared/graphql/refusal.js';
import { Money } from '../../shared/money.js';
import { Allow } from '../../shared/rights/rights.js';
import { InsufficientStock, OfferGone, PurchaseLimitExceeded } from '../cart/cart-refusals.js';
import { SaleNotOpen } from '../cart/sale-not-open.js';
import { Order, OrderExpired } from '../order/order.js';
import { itemsMax } from '../order/shop-order.js';
import {
  OrderNotPayable,
  PaymentActionRequired,
  PaymentDeclined,
  PaymentPending,
  PaymentSuccess,
  TooManyPaymentAttempts,
} from '../payment/payment-result.js';
import { Offer } from '../references.js';
import {
  HoldLimitExceeded,
  NotAdmitted,
  NotEligible,
  SaleOnly,
  SaleSoldOut,
} from './sale-refusals.js';

@Allow('parent')
@ObjectType({
  description: 'The order is placed, and its stock is reserved until `order.expiresAt`.',
})
export class CheckoutSuccess {
  @Field(() => Order, { description: 'The order.' })
  order!: Order;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The prices are in more than one currency. Place a separate order for each.',
})
export class MixedCurrencies extends Refusal {
  @ListMax(itemsMax)
  @Field(() => [String], { description: 'The currencies, as ISO 4217 codes.' })
  currencyCodes!: string[];
}

@Allow('parent')
@ObjectType({
  description: 'A line whose price differs from the cart, or that is not in the cart.',
})
export class ChangedPrice {
  @Field(() => Offer, { nullable: true, description: 'The offer.' })
  offer!: Offer;

  @Field(() => Money, {
    nullable: true,
    description: 'Price of one unit in the cart; null if the offer is not in the cart.',
  })
  oldPrice!: Money | null;

  @Field(() => Money, { description: 'Current price of one unit.' })
  newPrice!: Money;
}

@Allow('parent')
@ObjectType({
  implements: Refusal,
  description: 'The total differs from `expectedTotal`; nothing is ordered.',
})
export class PriceChanged extends Refusal {
  @ListMax(itemsMax)
  @Field(() => [ChangedPrice], { description: 'Lines whose price differs from the cart.' })
  lines!: ChangedPrice[];

  @Field(() => Money, { description: 'Expected total.' })
  expected!: Money;

  @Field(() => Money, { description: 'Current total.' })
  actual!: Money;
}

@Allow('parent')
@ObjectType({ implements: Refusal, description: 'The cart is empty, so nothing is ordered.' })
export class CartEmpty extends Refusal {}

export const CheckoutResult = createUnionType({
  name: 'CheckoutResult',
  description: 'The order, or why it was not placed or paid.',
  types: () =>
    [
      CheckoutSuccess,
      InsufficientStock,
      PurchaseLimitExceeded,
      HoldLimitExceeded,
      SaleNotOpen,
      SaleSoldOut,
      SaleOnly,
      NotEligible,
      NotAdmitted,
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
      TooManyPaymentAttempts,
    ] as const,
});
