import type { PaymentDeclineCode } from './decline-code.js';

/**
 * What Stripe’s codes of declines mean to the customer; all others are `GENERIC`. A closed list of
 * https://docs.stripe.com/declines/codes and, for codes of errors that come without a decline code,
 * https://docs.stripe.com/error-codes.
 */
const shown: Readonly<Record<Exclude<PaymentDeclineCode, 'GENERIC'>, readonly string[]>> = {
  INSUFFICIENT_FUNDS: ['insufficient_funds'],
  CARD_EXPIRED: ['expired_card'],
  INCORRECT_DETAILS: [
    'incorrect_number',
    'invalid_cvc',
    'invalid_expiry_month',
    'invalid_expiry_year',
    'invalid_number',
  ],
  AUTHENTICATION_FAILED: [
    'authentication_required',
    'mobile_device_authentication_required',
    'payment_intent_authentication_failure',
  ],
  NOT_SUPPORTED: ['card_not_supported', 'currency_not_supported'],
  LIMIT_EXCEEDED: [
    'card_decline_rate_limit_exceeded',
    'card_velocity_exceeded',
    'invalid_amount',
    'withdrawal_count_limit_exceeded',
  ],
};

/**
 * Codes that are known and shown as `GENERIC`. They would show those who test stolen cards that a card
 * exists, that it is blocked or suspected, or which detail to guess next; or they say nothing.
 */
export const hiddenDeclineCodes: readonly string[] = [
  // That the card is reported, or the payment suspected.
  ...['fraudulent', 'lost_card', 'merchant_blacklist', 'pickup_card', 'restricted_card'],
  ...['security_violation', 'stolen_card'],
  // That the number exists, and another detail is wrong.
  ...['incorrect_address', 'incorrect_cvc', 'incorrect_pin', 'incorrect_zip', 'invalid_pin'],
  ...['offline_pin_required', 'online_or_offline_pin_required', 'pin_try_exceeded'],
  // What the bank does not explain.
  ...['approve_with_id', 'call_issuer', 'do_not_honor', 'do_not_try_again', 'generic_decline'],
  ...['duplicate_transaction', 'invalid_account', 'issuer_not_available', 'no_action_taken'],
  ...['new_account_information_available', 'not_permitted', 'processing_error'],
  ...['reenter_transaction', 'revocation_of_all_authorizations', 'revocation_of_authorization'],
  ...['service_not_allowed', 'stop_payment_order', 'testmode_decline', 'transaction_not_allowed'],
  'try_again_later',
];

const codes: ReadonlyMap<string, PaymentDeclineCode> = new Map(
  Object.entries(shown).flatMap(([code, ofStripe]) =>
    ofStripe.map((each) => [each, code as PaymentDeclineCode] as const),
  ),
);

/** A card error, or the `last_payment_error` of a PaymentIntent. A missing code may be empty. */
interface Decline {
  readonly code?: string | null | undefined;
  readonly decline_code?: string | null | undefined;
}

/** What a decline of Stripe means to the customer: by its decline code, or else by its code. */
export const declineCodeOf = (decline: Decline | null | undefined): PaymentDeclineCode =>
  codes.get(decline?.decline_code || decline?.code || '') ?? 'GENERIC';

/**
 * Codes of requests that are refused (400) because of the payment method that the customer chose: they are
 * declines. Any other refusal is a fault of ours.
 */
const methodRefusals: Readonly<Record<string, PaymentDeclineCode>> = {
  card_decline_rate_limit_exceeded: 'LIMIT_EXCEEDED',
  expired_payment_method: 'CARD_EXPIRED',
  payment_intent_incompatible_payment_method: 'NOT_SUPPORTED',
  payment_method_currency_mismatch: 'NOT_SUPPORTED',
  payment_method_customer_decline: 'GENERIC',
  payment_method_provider_decline: 'GENERIC',
  payment_method_unexpected_state: 'NOT_SUPPORTED',
  payment_method_unsupported_type: 'NOT_SUPPORTED',
};

/** @returns null for a refusal that does not blame the payment method */
export const methodRefusalOf = (code = ''): PaymentDeclineCode | null =>
  Object.hasOwn(methodRefusals, code) ? (methodRefusals[code] ?? null) : null;
