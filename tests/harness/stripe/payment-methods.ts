/** Why a payment failed, as `last_payment_error`. */
export interface CardError {
  readonly type: 'card_error';
  readonly code: string;
  readonly decline_code?: string;
  readonly message: string;
  readonly payment_method: { readonly id: string };
}

type Decline = Omit<CardError, 'type' | 'payment_method'>;

const generic: Decline = {
  code: 'card_declined',
  decline_code: 'generic_decline',
  message: 'Your card was declined.',
};
const declines: Readonly<Record<string, Decline>> = {
  pm_card_chargeDeclined: generic,
  pm_card_chargeDeclinedInsufficientFunds: {
    code: 'card_declined',
    decline_code: 'insufficient_funds',
    message: 'Your card has insufficient funds.',
  },
  pm_card_chargeDeclinedExpiredCard: {
    code: 'expired_card',
    message: 'Your card has expired.',
  },
};
const needAction = ['pm_card_authenticationRequired', 'pm_card_threeDSecure2Required'];

/**
 * What the bank answers for a payment method, by its name, as for Stripe's test methods. Stripe has none for
 * `pm_card_processing`: that is how bank debits behave, and for `pm_declined_` with a decline code. All others
 * are approved.
 */
export function outcomeOf(method: string): 'approve' | 'action' | 'processing' | CardError {
  if (needAction.includes(method)) return 'action';
  if (method === 'pm_card_processing') return 'processing';
  const declineCode = /^pm_declined_(\w+)$/.exec(method)?.[1];
  const decline = declineCode ? { ...generic, decline_code: declineCode } : declines[method];
  return decline ? declined(decline, method) : 'approve';
}

const declined = (decline: Decline, method: string): CardError => ({
  type: 'card_error',
  ...decline,
  payment_method: { id: method },
});

export const genericDecline = (method: string) => declined(generic, method);

export const refusedAuthentication = (method: string): CardError => ({
  type: 'card_error',
  code: 'payment_intent_authentication_failure',
  message:
    'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
  payment_method: { id: method },
});
