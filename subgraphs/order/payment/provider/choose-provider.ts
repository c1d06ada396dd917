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
  if (config.PAYMENT_PROVIDER === 'sandbox') {
    return createSandboxProvider(config.PAYMENT_SANDBOX_URL, config.PAYMENT_SANDBOX_WEBHOOK_SECRET);
  }
  return createStripeProvider({
    secretKey: config.STRIPE_SECRET_KEY,
    webhookSecret: config.STRIPE_WEBHOOK_SECRET,
    apiUrl: config.STRIPE_API_URL,
  });
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
