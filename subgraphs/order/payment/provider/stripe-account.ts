import Stripe from 'stripe';
import { Contradiction, CurrenciesNotTaken } from './payment-provider.js';
import type { RequestLimit } from './stripe-client.js';
import { failureOf } from './stripe-errors.js';

const unauthorized = 401;

/**
 * Checks the key, the account and its currencies.
 *
 * @param currencyCodes of new payments; null if the account gets no new ones
 * @throws Contradiction, CurrenciesNotTaken; or another error if Stripe was not reached, or does not let the
 *   key read it
 */
export async function checkAccount(
  stripe: Stripe,
  currencyCodes: readonly string[] | null,
  within: () => RequestLimit,
): Promise<void> {
  const account = await orThrow(stripe.accounts.retrieveCurrent({}, within()));
  if (!currencyCodes) return;
  if (!account.charges_enabled) {
    throw new Contradiction(
      `the account ${account.id} cannot take payments: complete its activation at the dashboard`,
    );
  }
  const country = account.country;
  if (!country) return;
  const spec = await orThrow(stripe.countrySpecs.retrieve(country, {}, within()));
  const supported = spec.supported_payment_currencies;
  const missing = currencyCodes.filter((code) => !supported.includes(code.toLowerCase()));
  if (missing.length === 0) return;
  throw new CurrenciesNotTaken(
    `the account ${account.id} (${country}) takes no payments in ${missing.join(', ')}, in which orders are placed`,
    missing,
  );
}

async function orThrow<T>(sent: Promise<T>): Promise<T> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError && error.statusCode === unauthorized) {
      throw new Contradiction('the secret key is invalid, expired or revoked', { cause: error });
    }
    throw failureOf(error);
  }
}
