import { ConfigError } from '../../../shared/config.js';
import { type PaymentConfig, sandboxSecretOfDevelopment } from '../../config.js';
import type { PaymentProvider } from './payment-provider.js';
import { createSandboxProvider } from './sandbox-provider.js';
import { createStripeProvider } from './stripe-provider.js';

const secretMinLength = 16;

/** Creates the provider of `PAYMENT_PROVIDER`. @throws ConfigError that names all missing settings */
export function chooseProvider(config: PaymentConfig): PaymentProvider {
  const problems = problemsOf(config);
  if (problems.length > 0) throw new ConfigError(problems);
  const timeLimitMs = config.PAYMENT_TIMEOUT_SECONDS * 1000;
  if (config.PAYMENT_PROVIDER === 'sandbox') {
    const { PAYMENT_SANDBOX_URL: url, PAYMENT_SANDBOX_WEBHOOK_SECRET: secret } = config;
    return createSandboxProvider(url, secret, timeLimitMs);
  }
  return createStripeProvider({
    secretKey: config.STRIPE_SECRET_KEY,
    webhookSecret: config.STRIPE_WEBHOOK_SECRET,
    apiUrl: config.STRIPE_API_URL,
    timeLimitMs,
  });
}

/** @throws ConfigError if no reservation outlasts a call to the provider, so that no order could be paid */
export function requireTimeToPay(config: {
  readonly PAYMENT_TIMEOUT_SECONDS: number;
  readonly RESERVATION_MINUTES: number;
}): void {
  if (2 * config.PAYMENT_TIMEOUT_SECONDS <= config.RESERVATION_MINUTES * 60) return;
  const problem = 'PAYMENT_TIMEOUT_SECONDS must be at most half of RESERVATION_MINUTES';
  throw new ConfigError([`${problem}: otherwise orders can hardly be paid`]);
}

function problemsOf(config: PaymentConfig): string[] {
  if (config.PAYMENT_PROVIDER === 'stripe') {
    return (['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const)
      .filter((name) => !config[name])
      .map((name) => `${name} is missing: PAYMENT_PROVIDER is stripe`);
  }
  const secret = config.PAYMENT_SANDBOX_WEBHOOK_SECRET;
  const isPublic = config.NODE_ENV === 'production' && secret === sandboxSecretOfDevelopment;
  if (secret.length >= secretMinLength && !isPublic) return [];
  return [
    'PAYMENT_SANDBOX_WEBHOOK_SECRET is missing, too short or the public development default: PAYMENT_PROVIDER is sandbox',
  ];
}
