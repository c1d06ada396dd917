import { declineCodeOf, hiddenDeclineCodes } from './stripe-declines.js';

/** https://docs.stripe.com/declines/codes: those of them that customers may see, and as what. */
const shown = {
  authentication_required: 'AUTHENTICATION_FAILED',
  mobile_device_authentication_required: 'AUTHENTICATION_FAILED',
  card_not_supported: 'NOT_SUPPORTED',
  currency_not_supported: 'NOT_SUPPORTED',
  card_velocity_exceeded: 'LIMIT_EXCEEDED',
  invalid_amount: 'LIMIT_EXCEEDED',
  withdrawal_count_limit_exceeded: 'LIMIT_EXCEEDED',
  expired_card: 'CARD_EXPIRED',
  incorrect_number: 'INCORRECT_DETAILS',
  invalid_cvc: 'INCORRECT_DETAILS',
  invalid_expiry_month: 'INCORRECT_DETAILS',
  invalid_expiry_year: 'INCORRECT_DETAILS',
  invalid_number: 'INCORRECT_DETAILS',
  insufficient_funds: 'INSUFFICIENT_FUNDS',
};

describe('a decline of Stripe', () => {
  it.each(Object.entries(shown))('because of %s is shown as %s', (decline_code, code) => {
    expect(declineCodeOf({ code: 'card_declined', decline_code })).toBe(code);
  });

  it.each(hiddenDeclineCodes)('because of %s is shown without a reason', (decline_code) => {
    // The code of the error may say more than the decline code.
    expect(declineCodeOf({ code: 'expired_card', decline_code })).toBe('GENERIC');
  });

  it.each(['stolen_card', 'lost_card', 'pickup_card', 'fraudulent', 'incorrect_cvc'])(
    'because of %s helps nobody who tests cards',
    (code) => {
      expect(hiddenDeclineCodes).toContain(code);
      expect(declineCodeOf({ code })).toBe('GENERIC');
    },
  );

  it('without a decline code is known by its code; an unknown one has no reason', () => {
    const code = 'payment_intent_authentication_failure';
    expect(declineCodeOf({ code })).toBe('AUTHENTICATION_FAILED');
    for (const unknown of [null, undefined, {}, { code: 'toString' }, { decline_code: 'new' }]) {
      expect(declineCodeOf(unknown)).toBe('GENERIC');
    }
  });
});
