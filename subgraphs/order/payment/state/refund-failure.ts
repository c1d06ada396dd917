import { enumOf } from '../../../shared/graphql/enum-of.js';

export const RefundFailureReason = enumOf(
  'RefundFailureReason',
  'Why the money of a refund was not returned.',
  {
    CARD_CLOSED: 'The card cannot take it: it has expired, or was cancelled or replaced.',
    DISPUTED: 'The customer disputes the payment.',
    OTHER: 'Another reason, which is for the operator only.',
  },
);
export type RefundFailureReason = keyof typeof RefundFailureReason;

// Codes of Stripe (https://docs.stripe.com/refunds#failed-refunds) and of the sandbox. That a card is lost or
// stolen is not shown, as for declines.
const shown: ReadonlyMap<string, RefundFailureReason> = new Map([
  ['expired_or_canceled_card', 'CARD_CLOSED'],
  ['lost_or_stolen_card', 'CARD_CLOSED'],
  ['closed card', 'CARD_CLOSED'],
  ['charge_for_pending_refund_disputed', 'DISPUTED'],
  ['payment_disputed', 'DISPUTED'],
]);

/** What customers and shops read instead of the provider’s code. */
export const shownFailureOf = (code: string): RefundFailureReason => shown.get(code) ?? 'OTHER';
