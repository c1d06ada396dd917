import { ConfigError, loadConfig } from '../../../shared/config.js';
import { variables } from '../../config.js';
import { chooseProvider, requireTimeToPay } from './choose-provider.js';

const { NODE_ENV, ...payments } = Object.fromEntries(
  Object.entries(variables).filter(([name]) =>
    /^(NODE_ENV|PAYMENT_|STRIPE_|RESERVATION_)/.test(name),
  ),
);
const read = (env: Record<string, string>) =>
  loadConfig({ NODE_ENV, ...payments } as unknown as typeof variables, env);

async function nameOf(env: Record<string, string>): Promise<string> {
  const provider = chooseProvider(read(env));
  await provider.close();
  return provider.name;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    chooseProvider(read(env));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const production = { NODE_ENV: 'production' };
const stripeKeys = { STRIPE_SECRET_KEY: 'sk_test_x', STRIPE_WEBHOOK_SECRET: 'whsec_x' };
const sandbox = { PAYMENT_PROVIDER: 'sandbox' };

describe('the payment provider', () => {
  it('is the sandbox in development, and Stripe in production', async () => {
    expect(await nameOf({})).toBe('sandbox');
    expect(await nameOf({ ...production, ...stripeKeys })).toBe('stripe');
    expect(await nameOf({ PAYMENT_PROVIDER: 'stripe', ...stripeKeys })).toBe('stripe');
  });

  it('cannot be Stripe without its secrets: the error names each missing one', () => {
    expect(problemsOf(production)).toEqual([
      expect.stringMatching(/^STRIPE_SECRET_KEY is missing/),
      expect.stringMatching(/^STRIPE_WEBHOOK_SECRET is missing/),
    ]);
  });

  it('is the sandbox in production only if configured, with a secret that is not public', async () => {
    const secret = 'a secret that nobody else knows';
    expect(
      await nameOf({ ...production, ...sandbox, PAYMENT_SANDBOX_WEBHOOK_SECRET: secret }),
    ).toBe('sandbox');
    for (const refused of ['', 'short', 'development-secret-of-sandbox']) {
      expect(
        problemsOf({ ...production, ...sandbox, PAYMENT_SANDBOX_WEBHOOK_SECRET: refused }),
      ).toEqual([expect.stringMatching(/^PAYMENT_SANDBOX_WEBHOOK_SECRET/)]);
    }
  });

  it('refuses a time limit that no reservation outlasts', () => {
    const problem = 'PAYMENT_TIMEOUT_SECONDS must be at most half of RESERVATION_MINUTES';
    expect(() => requireTimeToPay(read({ RESERVATION_MINUTES: '0.2' }))).toThrow(problem);
    expect(() => requireTimeToPay(read({}))).not.toThrow();
  });
});
