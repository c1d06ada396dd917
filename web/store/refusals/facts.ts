import type { AmountFragment } from '../graph/operations.js';
import { count, formatMoney, formatNumber, formatTime } from '../ui/format.js';

/** A refusal of the API, with the facts that the store selects. */
export interface RefusalFacts {
  readonly __typename: string;
  readonly message?: string;
  readonly lines?: readonly RefusedLine[];
  readonly offerIds?: readonly string[];
  readonly currencyCodes?: readonly string[];
  readonly actual?: AmountFragment;
  readonly code?: string;
  readonly status?: string;
  readonly retryAt?: string | null;
}

interface RefusedLine {
  readonly offer: { readonly id: string } | null;
  readonly requested?: number;
  readonly available?: number;
  readonly limit?: number;
  readonly already?: number;
  readonly oldPrice?: AmountFragment | null;
  readonly newPrice?: AmountFragment;
}

/** id of an offer → its name, for refusals that concern several lines */
export type NameOf = (offerId: string | undefined) => string | undefined;

/** Code of a declined payment → what it means. */
export const declineReasons: Readonly<Record<string, string>> = {
  GENERIC: 'The bank declined the payment.',
  INSUFFICIENT_FUNDS: 'The account has too little money.',
  CARD_EXPIRED: 'The card has expired.',
  INCORRECT_DETAILS: 'The details of the payment method are incorrect.',
  AUTHENTICATION_FAILED: 'The payment was not confirmed.',
  NOT_SUPPORTED: 'This payment method cannot be used here.',
  LIMIT_EXCEEDED: 'A limit of the payment method is exceeded.',
};

/** A refusal as sentences: the facts, then what to do. */
export function sentencesOf(refusal: RefusalFacts, nameOf: NameOf = () => undefined): string[] {
  const { lines = [], message = 'This is not possible.' } = refusal;
  const named = (line: RefusedLine, fact: string) => {
    const name = nameOf(line.offer?.id);
    return name ? `${name}: ${fact}` : capitalized(fact);
  };
  switch (refusal.__typename) {
    case 'InsufficientStock':
      return lines.map((line) => named(line, shortage(line)));
    case 'PurchaseLimitExceeded':
      return lines.map((line) => named(line, limitReached(line)));
    case 'PriceChanged':
      return [
        ...lines.map((line) => named(line, priceChange(line))),
        ...(refusal.actual ? [`The total is now ${formatMoney(refusal.actual)}.`] : []),
      ];
    case 'OfferGone':
      return (refusal.offerIds ?? []).map(
        (id) => `${nameOf(id) ?? 'An offer'}: no longer for sale.`,
      );
    case 'CartEmpty':
      return ['Your cart is empty.'];
    case 'MixedCurrencies':
      return [
        `The prices are in ${(refusal.currencyCodes ?? []).join(' and ')}. Order each currency by itself.`,
      ];
    case 'PaymentDeclined':
      return [
        declineReasons[refusal.code ?? 'GENERIC'] ?? message,
        'Nothing was charged. Choose another payment method.',
      ];
    case 'TooManyPaymentAttempts':
      return [
        'Too many payments were declined. Nothing was charged.',
        refusal.retryAt
          ? `You can pay again from ${formatTime(refusal.retryAt)}.`
          : 'This order cannot be paid any more.',
      ];
    case 'OrderExpired':
      return ['The time to pay ran out, and the units went back on sale. Nothing was charged.'];
    default:
      return [message];
  }
}

function shortage({ available = 0, requested = 0 }: RefusedLine): string {
  if (available === 0) return 'sold out.';
  return `only ${formatNumber(available)} left, you asked for ${formatNumber(requested)}.`;
}

function limitReached({ limit = 0, already = 0 }: RefusedLine): string {
  const rule = `limit ${formatNumber(limit)} per customer`;
  return already > 0
    ? `${rule}, and you have ${count(already, 'unit')} in your orders.`
    : `${rule}.`;
}

function priceChange({ oldPrice, newPrice }: RefusedLine): string {
  const now = newPrice ? formatMoney(newPrice) : 'another price';
  return oldPrice ? `was ${formatMoney(oldPrice)}, is now ${now}.` : `costs ${now}.`;
}

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
