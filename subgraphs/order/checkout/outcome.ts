import { identityOf } from '../../shared/auth/callers.js';
import { result } from '../../shared/graphql/refusal.js';
import { type Money, money } from '../../shared/money.js';
import {
  insufficientStock,
  limitExceeded,
  OfferGone,
  type ShortageLine,
} from '../cart/cart-refusals.js';
import { type NotOpen, saleNotOpen } from '../cart/sale-not-open.js';
import type { OrderContext } from '../context.js';
import { Order, OrderExpired } from '../order/order.js';
import type { LimitViolation } from '../purchase-limit/count-purchases.js';
import { requireRow } from '../require-row.js';
import {
  CartEmpty,
  ChangedPrice,
  CheckoutSuccess,
  MixedCurrencies,
  PriceChanged,
} from './checkout-result.js';
import {
  type HoldLimited,
  holdLimitExceeded,
  type Ineligible,
  notAdmitted,
  notEligible,
  type SoldInSaleOnly,
  type SoldOut,
  saleOnly,
  saleSoldOut,
  type Unadmitted,
} from './sale-refusals.js';

/** The outcome of a checkout, as it is stored under its idempotency key. */
export type Outcome =
  | { kind: 'placed'; orderId: string }
  | { kind: 'expired'; orderId: string }
  | { kind: 'short'; lines: ShortageLine[] }
  | { kind: 'limited'; lines: readonly LimitViolation[] }
  | { kind: 'price'; lines: PriceLine[]; expected: Money; actual: Money }
  | { kind: 'empty' }
  | { kind: 'gone'; offerIds: string[] }
  | ({ kind: 'hold-limited' } & HoldLimited)
  | ({ kind: 'sale-not-open' } & NotOpen)
  | ({ kind: 'sale-sold-out' } & SoldOut)
  | ({ kind: 'sale-only' } & SoldInSaleOnly)
  | ({ kind: 'not-eligible' } & Ineligible)
  | ({ kind: 'not-admitted' } & Unadmitted)
  | { kind: 'mixed'; currencyCodes: string[] };

/** The current price of a unit, and its price in the cart if it was there. */
export interface PriceLine {
  offerId: string;
  oldPrice: Money | null;
  newPrice: Money;
}

/** The result for an outcome, with the order's current state. */
export async function toCheckoutResult(context: OrderContext, outcome: Outcome) {
  const readOrder = (id: string) =>
    requireRow(context.app.orm.em, Order, { customerId: identityOf(context).id, id });
  switch (outcome.kind) {
    case 'placed':
      return result(CheckoutSuccess, {
        order: await readOrder(outcome.orderId),
      });
    case 'expired':
      return result(OrderExpired, {
        message: 'This order has ended and its stock was released. Place a new order.',
        order: await readOrder(outcome.orderId),
      });
    case 'short':
      return insufficientStock(outcome.lines);
    case 'limited':
      return limitExceeded(outcome.lines);
    case 'price':
      return result(PriceChanged, {
        message: 'Prices have changed. Review the total and try again.',
        lines: outcome.lines.map(({ offerId, oldPrice, newPrice }) => {
          const prices = { oldPrice: oldPrice && moneyOf(oldPrice), newPrice: moneyOf(newPrice) };
          return result(ChangedPrice, { offer: { id: offerId }, ...prices });
        }),
        expected: moneyOf(outcome.expected),
        actual: moneyOf(outcome.actual),
      });
    case 'hold-limited':
      return holdLimitExceeded(outcome);
    case 'sale-not-open':
      return saleNotOpen(outcome);
    case 'sale-sold-out':
      return saleSoldOut(outcome);
    case 'sale-only':
      return saleOnly(outcome);
    case 'not-eligible':
      return notEligible(outcome);
    case 'not-admitted':
      return notAdmitted(outcome);
    case 'empty':
      return result(CartEmpty, { message: 'The cart is empty. Add an offer first.' });
    case 'gone':
      return result(OfferGone, {
        message: 'Some items are no longer available. Remove them and try again.',
        offerIds: outcome.offerIds,
      });
    case 'mixed':
      return result(MixedCurrencies, {
        message: 'The prices are in different currencies. Place a separate order for each.',
        currencyCodes: outcome.currencyCodes,
      });
  }
}

const moneyOf = ({ amount, currencyCode }: Money) => money(amount, currencyCode);
