import { findById } from '../../shared/database/find-by-id.js';
import { result } from '../../shared/graphql/refusal.js';
import { type Money, money } from '../../shared/money.js';
import {
  insufficientStock,
  limitExceeded,
  OfferGone,
  type ShortageLine,
} from '../cart/cart-refusals.js';
import type { OrderContext } from '../context.js';
import { Order, OrderExpired } from '../order/order.js';
import type { LimitViolation } from '../purchase-limit/count-purchases.js';
import {
  CartEmpty,
  ChangedPrice,
  CheckoutSuccess,
  MixedCurrencies,
  PriceChanged,
} from './checkout-result.js';

/** How a checkout ended, as it is kept under its key. */
export type Outcome =
  | { kind: 'placed'; orderId: string }
  | { kind: 'expired'; orderId: string }
  | { kind: 'short'; orderId: string; lines: ShortageLine[] }
  | { kind: 'limited'; lines: readonly LimitViolation[] }
  | { kind: 'price'; lines: PriceLine[]; expected: Money; actual: Money }
  | { kind: 'empty' }
  | { kind: 'gone'; offerIds: string[] }
  | { kind: 'mixed'; currencyCodes: string[] };

/** What a unit costs, and cost when it was put into the cart, where it was. */
export interface PriceLine {
  offerId: string;
  oldPrice: Money | null;
  newPrice: Money;
}

/** The answer that an outcome is shown as; orders as they are now. */
export async function toCheckoutResult({ em }: OrderContext, outcome: Outcome) {
  switch (outcome.kind) {
    case 'placed':
      return result(CheckoutSuccess, {
        order: await findById(em, Order, outcome.orderId),
      });
    case 'expired':
      return result(OrderExpired, {
        message: 'This order ended; its stock is back on the shelf.',
        order: await findById(em, Order, outcome.orderId),
      });
    case 'short':
      return insufficientStock(outcome.lines);
    case 'limited':
      return limitExceeded(outcome.lines);
    case 'price':
      return result(PriceChanged, {
        message: 'It does not cost what you expected; look at the prices and order again.',
        lines: outcome.lines.map(({ offerId, oldPrice, newPrice }) => {
          const prices = { oldPrice: oldPrice && moneyOf(oldPrice), newPrice: moneyOf(newPrice) };
          return result(ChangedPrice, { offer: { id: offerId }, ...prices });
        }),
        expected: moneyOf(outcome.expected),
        actual: moneyOf(outcome.actual),
      });
    case 'empty':
      return result(CartEmpty, { message: 'The cart is empty.' });
    case 'gone':
      return result(OfferGone, {
        message: 'Something you want is not for sale (any more).',
        offerIds: outcome.offerIds,
      });
    case 'mixed':
      return result(MixedCurrencies, {
        message: 'These offers have prices in different currencies; order them apart.',
        currencyCodes: outcome.currencyCodes,
      });
  }
}

const moneyOf = ({ amount, currencyCode }: Money) => money(amount, currencyCode);
