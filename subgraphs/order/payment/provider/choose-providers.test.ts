import { ConfigError, loadConfig } from '../../../shared/config.js';
import { variables } from '../../config.js';
import { chooseProviders, requireTimeToPay } from './choose-providers.js';

const { NODE_ENV, ...payments } = Object.fromEntries(
  Object.entries(variables).filter(([name]) =>
    /^(NODE_ENV|PAYMENT_|STRIPE_|RESERVATION_)/.test(name),
  ),
);
const read = (env: Record<string, string>) =>
  loadConfig({ NODE_ENV, ...payments } as unknown as typeof variables, env);

async function namesOf(env: Record<string, string>): Promise<readonly string[]> {
  const providers = chooseProviders(read(env));
  await providers.close();
  return providers.names;
}
const nameOf = async (env: Record<string, string>) => (await namesOf(env))[0];

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    chooseProviders(read(env));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const production = { NODE_ENV: 'production' };
const stripeKeys = { STRIPE_SECRET_KEY: 'sk_live_x', STRIPE_WEBHOOK_SECRET: 'whsec_x' };
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

  it.each([
    ['STRIPE_SECRET_KEY', 'sk_test_x', 'it begins with sk_live_ or rk_live_'],
    ['STRIPE_SECRET_KEY', 'pk_live_x', 'it begins with sk_live_ or rk_live_'],
    ['STRIPE_WEBHOOK_SECRET', 'secret', 'it begins with whsec_'],
    ['STRIPE_API_URL', 'http://stripe.example', 'must be an https address'],
  ])(
    'has no %s such as %s in production: orders would be taken without money',
    (name, value, why) => {
      const env = { ...production, ...stripeKeys, [name]: value };
      expect(problemsOf(env)).toEqual([expect.stringMatching(`^${name} .*${why}`)]);
      expect(problemsOf({ ...env, NODE_ENV: 'test', PAYMENT_PROVIDER: 'stripe' })).toEqual([]);
    },
  );

  it('takes a restricted key in production', async () => {
    const env = { ...production, ...stripeKeys, STRIPE_SECRET_KEY: 'rk_live_x' };
    expect(await nameOf(env)).toBe('stripe');
  });

  describe('beside former ones', () => {
    const secret = 'a secret that nobody else knows';
    const url = 'http://127.0.0.1:1';
    const former = (...list: object[]) => ({ PAYMENT_FORMER_PROVIDERS: JSON.stringify(list) });
    const account = {
      name: 'stripe',
      kind: 'stripe',
      secretKey: 'sk_live_y',
      webhookSecret: 'whsec_y',
    };

    it('has a name of its own, the kind by default', async () => {
      const env = {
        ...{ ...production, ...stripeKeys, PAYMENT_PROVIDER_NAME: 'stripe-eu' },
        ...former(account, { name: 'sandbox', kind: 'sandbox', url, webhookSecret: secret }),
      };
      expect(await namesOf(env)).toEqual(['stripe-eu', 'stripe', 'sandbox']);
      expect(problemsOf({ ...env, PAYMENT_PROVIDER_NAME: '' })).toEqual([
        expect.stringMatching(/^PAYMENT_FORMER_PROVIDERS\[0\]\.name is used twice: stripe/),
      ]);
      expect(() => read({ PAYMENT_PROVIDER_NAME: 'Stripe EU' })).toThrow('PAYMENT_PROVIDER_NAME');
    });

    it('names all problems with their index, and shows no value', () => {
      const { secretKey: _, ...withoutKey } = account;
      const problems = problemsOf({
        ...{ ...production, ...stripeKeys },
        ...former(
          { ...account, name: 'a', secretKey: 'sk_test_y' },
          { ...withoutKey, name: 'b' },
          { ...account, name: 'c', webhokSecret: 'whsec_y' },
          { ...account, name: 'a', kind: 'stripe' },
          { ...account, name: 'd', kind: 'paypal' },
          { ...account, name: 'e', apiUrl: url },
          { name: 'f', kind: 'sandbox', url, webhookSecret: 'short' },
        ),
      });
      const at = (n: number, rest: string) =>
        expect.stringContaining(`PAYMENT_FORMER_PROVIDERS[${n}]${rest}`);
      expect(problems).toHaveLength(7);
      for (const expected of [
        at(0, '.secretKey is not a live key'),
        at(1, '.secretKey is malformed'),
        at(2, ' is malformed (Unrecognized key: "webhokSecret")'),
        at(3, '.name is used twice: a'),
        at(4, '.kind is malformed'),
        at(5, '.apiUrl must be an https address'),
        at(6, '.webhookSecret is missing, too short'),
      ]) {
        expect(problems).toContainEqual(expected);
      }
      expect(problems.join()).not.toMatch(/_y\b/);
    });

    it('is refused if the list is none', () => {
      for (const text of ['{}', 'sk_live_y', '[{]']) {
        const [problem] = problemsOf({ PAYMENT_FORMER_PROVIDERS: text });
        expect(problem).toMatch(/^PAYMENT_FORMER_PROVIDERS is malformed: it is a list of/);
        expect(problem).not.toContain('sk_live_y');
      }
    });
  });

  it('refuses a time limit that no reservation outlasts', () => {
    const problem = 'PAYMENT_TIMEOUT_SECONDS must be at most half of RESERVATION_MINUTES';
    expect(() => requireTimeToPay(read({ RESERVATION_MINUTES: '0.2' }))).toThrow(problem);
    expect(() => requireTimeToPay(read({}))).not.toThrow();
  });
});
