import Stripe from 'stripe';
import { kindOf } from '../../../../tests/harness/stripe/with-provider.js';
import { failureOf, keyedFailureOf } from './stripe-errors.js';

const { StripeAPIError, StripeError } = Stripe.errors;

describe('an error of Stripe', () => {
  it.each([
    [400, 'refused', 'refused'],
    [401, 'refused', 'refused'],
    [402, 'refused', 'refused'],
    [403, 'refused', 'refused'],
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
