import Stripe from 'stripe';
import { kindOf } from '../../../../tests/harness/stripe/with-provider.js';
import type { AccessRefused, Declined, PermanentRefusal } from './payment-provider.js';
import { failureOf, keyedFailureOf, paymentFailureOf } from './stripe-errors.js';

const { StripeAPIError, StripeError } = Stripe.errors;

describe('an error of Stripe', () => {
  it.each([
    [400, 'refused', 'refused'],
    [401, 'not done', 'not done'],
    [402, 'refused', 'refused'],
    [403, 'not done', 'not done'],
    [404, 'refused', 'refused'],
    [408, 'unknown', 'unknown'],
    [409, 'unknown', 'not done'],
    [424, 'unknown', 'key used up'],
    [429, 'not done', 'not done'],
    [500, 'unknown', 'key used up'],
    [503, 'unknown', 'key used up'],
  ])('with the status %d is: %s, or with a key of ours: %s', (statusCode, kind, keyedKind) => {
    const error = StripeError.generate({ statusCode, message: 'No.', type: 'api_error' });
    expect(kindOf(failureOf(error) as Error)).toBe(kind);
    expect(kindOf(keyedFailureOf(error) as Error)).toBe(keyedKind);
    expect((failureOf(error) as Error).message).toBe('Stripe: No.');
  });

  it.each([
    [400, { code: 'parameter_unknown' }, 'refused', 'parameter_unknown'],
    [400, { code: 'amount_too_small' }, 'refused', 'amount_too_small'],
    [400, { code: 'livemode_mismatch' }, 'refused', 'livemode_mismatch'],
    [400, { param: 'currency' }, 'refused', 'http_400'],
    [400, { code: 'resource_missing', param: 'customer' }, 'refused', 'resource_missing'],
    [404, { code: 'resource_missing', param: 'intent' }, 'refused', 'resource_missing'],
    [401, {}, 'not done', 'http_401'],
    [403, {}, 'not done', 'http_403'],
    [429, { code: 'rate_limit' }, 'not done', undefined],
    [400, { code: 'resource_missing', param: 'payment_method' }, 'unknown method', undefined],
    [400, { code: 'payment_method_currency_mismatch' }, 'declined', 'NOT_SUPPORTED'],
    [400, { code: 'expired_payment_method' }, 'declined', 'CARD_EXPIRED'],
    [402, { type: 'card_error', code: 'expired_card' }, 'declined', 'CARD_EXPIRED'],
    [402, { type: 'card_error', decline_code: 'stolen_card' }, 'declined', 'GENERIC'],
  ])('at a payment, with the status %d and %j, is: %s (%s)', (statusCode, details, kind, code) => {
    const type = 'invalid_request_error';
    const error = StripeError.generate({ message: 'No.', type, ...details, statusCode } as never);
    const failure = paymentFailureOf(error, failureOf) as
      | PermanentRefusal
      | AccessRefused
      | Declined;
    expect([kindOf(failure), failure.code]).toEqual([kind, code]);
  });

  it('without a status is unknown, as for an answer that cannot be read', () => {
    const error = new StripeAPIError({ message: 'Invalid JSON', type: 'api_error' });
    expect(kindOf(keyedFailureOf(error) as Error)).toBe('unknown');
  });

  it('that is none is returned as it is', () => {
    const error = new TypeError('a fault of ours');
    expect(failureOf(error)).toBe(error);
    expect(keyedFailureOf(error)).toBe(error);
  });
});
