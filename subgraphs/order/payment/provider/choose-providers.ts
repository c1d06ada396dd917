import { ConfigError } from '../../../shared/config.js';
import { type PaymentConfig, sandboxSecretOfDevelopment } from '../../config.js';
import { type FormerProvider, readFormerProviders } from './former-providers.js';
import type { PaymentProvider } from './payment-provider.js';
import { type PaymentProviders, paymentProviders } from './providers.js';
import { createSandboxProvider } from './sandbox-provider.js';
import { createStripeProvider } from './stripe-provider.js';

const secretMinLength = 16;

/**
 * Creates the provider of `PAYMENT_PROVIDER`, and those of `PAYMENT_FORMER_PROVIDERS`.
 *
 * @param wrap is applied to each
 * @throws ConfigError that names all settings that are missing or wrong
 */
export function chooseProviders(
  config: PaymentConfig,
  wrap = (provider: PaymentProvider) => provider,
): PaymentProviders {
  const isProduction = config.NODE_ENV === 'production';
  const current = currentProvider(config);
  const read = readFormerProviders(config.PAYMENT_FORMER_PROVIDERS, current.name);
  const former = read.providers.map(({ at, provider }) => ({
    provider: { apiUrl: config.STRIPE_API_URL, ...provider },
    label: (field: string) => `PAYMENT_FORMER_PROVIDERS[${at}].${field}`,
  }));
  const problems = [
    ...problemsOf(current, isProduction, (field) => variables[current.kind][field] ?? field),
    ...read.problems,
    ...former.flatMap(({ provider, label }) => problemsOf(provider, isProduction, label)),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  const timeLimitMs = config.PAYMENT_TIMEOUT_SECONDS * 1000;
  return paymentProviders(
    wrap(create(current, timeLimitMs)),
    former.map(({ provider }) => wrap(create(provider, timeLimitMs))),
  );
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

type ProviderSettings = FormerProvider;

/** The variables of the current provider: kind → field → variable. */
const variables: Readonly<Record<ProviderSettings['kind'], Readonly<Record<string, string>>>> = {
  stripe: {
    secretKey: 'STRIPE_SECRET_KEY',
    webhookSecret: 'STRIPE_WEBHOOK_SECRET',
    apiUrl: 'STRIPE_API_URL',
  },
  sandbox: { webhookSecret: 'PAYMENT_SANDBOX_WEBHOOK_SECRET' },
};

function currentProvider(config: PaymentConfig): ProviderSettings {
  const name = config.PAYMENT_PROVIDER_NAME || config.PAYMENT_PROVIDER;
  if (config.PAYMENT_PROVIDER === 'sandbox') {
    const { PAYMENT_SANDBOX_URL: url, PAYMENT_SANDBOX_WEBHOOK_SECRET: webhookSecret } = config;
    return { name, kind: 'sandbox', url, webhookSecret };
  }
  return {
    ...{ name, kind: 'stripe', secretKey: config.STRIPE_SECRET_KEY },
    ...{ webhookSecret: config.STRIPE_WEBHOOK_SECRET, apiUrl: config.STRIPE_API_URL },
  };
}

function create(settings: ProviderSettings, timeLimitMs: number): PaymentProvider {
  if (settings.kind === 'stripe') return createStripeProvider({ ...settings, timeLimitMs });
  return createSandboxProvider(settings.url, settings.webhookSecret, timeLimitMs, settings.name);
}

/** @param label the name of a field in the configuration */
function problemsOf(
  settings: ProviderSettings,
  isProduction: boolean,
  label: (field: string) => string,
): string[] {
  return settings.kind === 'stripe'
    ? stripeProblems(settings, isProduction, label)
    : sandboxProblems(settings, isProduction, label);
}

function stripeProblems(
  settings: Extract<ProviderSettings, { kind: 'stripe' }>,
  isProduction: boolean,
  label: (field: string) => string,
): string[] {
  const { secretKey, webhookSecret, apiUrl = '' } = settings;
  const problems: string[] = [];
  if (!secretKey) problems.push(`${label('secretKey')} is missing: the provider is Stripe`);
  else if (isProduction && !/^(sk|rk)_live_/.test(secretKey)) {
    problems.push(
      `${label('secretKey')} is not a live key: in production it begins with sk_live_ or rk_live_`,
    );
  }
  if (!webhookSecret) problems.push(`${label('webhookSecret')} is missing: the provider is Stripe`);
  else if (isProduction && !webhookSecret.startsWith('whsec_')) {
    problems.push(
      `${label('webhookSecret')} is not the signing secret of a webhook: it begins with whsec_`,
    );
  }
  if (isProduction && apiUrl && !apiUrl.startsWith('https:')) {
    problems.push(
      `${label('apiUrl')} must be an https address in production, because the secret key is sent to it; empty: Stripe’s own`,
    );
  }
  return problems;
}

function sandboxProblems(
  { webhookSecret }: Extract<ProviderSettings, { kind: 'sandbox' }>,
  isProduction: boolean,
  label: (field: string) => string,
): string[] {
  const isPublic = isProduction && webhookSecret === sandboxSecretOfDevelopment;
  if (webhookSecret.length >= secretMinLength && !isPublic) return [];
  return [
    `${label('webhookSecret')} is missing, too short or the public development default: the provider is the sandbox`,
  ];
}
