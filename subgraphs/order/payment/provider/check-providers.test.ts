import type { MikroORM } from '@mikro-orm/postgresql';
import { openPaymentSteps, type PaymentSteps } from '../../../../tests/harness/payment-steps.js';
import { logger } from '../../../../tests/harness/stock-engine.js';
import {
  type StripeSetup,
  startWithProvider,
} from '../../../../tests/harness/stripe/with-provider.js';
import { createLogger } from '../../../shared/observability/logger.js';
import { createProviderChecks } from './check-providers.js';
import { Contradiction, type PaymentProvider } from './payment-provider.js';
import { paymentProviders } from './providers.js';
import { createSandboxProvider } from './sandbox-provider.js';
import { createStripeProvider } from './stripe-provider.js';

const minuteMs = 60_000;

describe('the check of a payment provider', () => {
  let steps: PaymentSteps;
  let orm: MikroORM;
  let stripe: StripeSetup;
  const opened: PaymentProvider[] = [];
  beforeAll(async () => {
    steps = await openPaymentSteps();
    orm = steps.app.orm;
  });
  beforeEach(async () => {
    await steps.rows('truncate customer_order cascade');
    stripe = await startWithProvider();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
    await stripe.stop();
  });
  afterAll(() => steps.close());

  function accountWith(secretKey = 'sk_live_x', name = 'stripe'): PaymentProvider {
    const provider = createStripeProvider({ ...stripe.settings, secretKey, name });
    opened.push(provider);
    return provider;
  }
  const checksOf = (
    current: PaymentProvider,
    former: PaymentProvider[] = [],
    isProduction = true,
    log = logger,
  ) => createProviderChecks({ orm, logger: log }, paymentProviders(current, former), isProduction);

  const setStatus = (orderId: string, status: string) =>
    steps.rows(
      `update customer_order set status = $2,
         cancel_reason = case when $2 = 'CANCELLED' then 'PAYMENT_TIMEOUT' end where id = $1`,
      [orderId, status],
    );
  const setCurrency = (orderId: string, code: string) =>
    steps.rows('update customer_order set currency_code = $2 where id = $1', [orderId, code]);
  async function paidOrder(): Promise<string> {
    const { orderId } = await steps.newOrder();
    await setStatus(orderId, 'CONFIRMED');
    return orderId;
  }

  it('is about the account even before there are orders', async () => {
    Object.assign(stripe.server.account, { chargesEnabled: false });
    await expect(checksOf(accountWith()).runFirst()).rejects.toThrow('cannot take payments');
  });

  it('of Stripe reads the account and its currencies', async () => {
    await steps.newOrder();
    const checks = checksOf(accountWith());
    await checks.runFirst();
    expect(checks.results()).toEqual({ stripe: 1 });
    expect(stripe.server.requests.map(({ path }) => path)).toEqual([
      '/v1/account',
      '/v1/country_specs/US',
    ]);
    await checks.repeat(Number.MAX_SAFE_INTEGER);
    expect(stripe.server.requests).toHaveLength(2);
  });

  it.each([
    ['a revoked key', 'sk_live_revoked', {}, 'the secret key is invalid, expired or revoked'],
    ['charges that are disabled', undefined, { chargesEnabled: false }, 'cannot take payments'],
    ['currencies that it does not take', undefined, { currencies: ['eur'] }, 'no payments in USD'],
  ])('stops the start of the process for %s, in production only', async (_, key, account, why) => {
    await paidOrder();
    Object.assign(stripe.server.account, account);
    const checks = checksOf(accountWith(key));
    await expect(checks.runFirst()).rejects.toThrow(why);
    expect(checks.results()).toEqual({ stripe: 0 });
    await expect(checksOf(accountWith(key), [], false).runFirst()).resolves.toBeUndefined();
  });

  it('that misses some currencies of orders fails, and does not stop the process', async () => {
    await paidOrder();
    await setCurrency(await paidOrder(), 'CHF');
    await setCurrency((await steps.newOrder()).orderId, 'ISK');
    const lines: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const log = createLogger('test', 'info', { destination });
    const checks = checksOf(accountWith(), [], true, log);
    await checks.runFirst();
    expect(checks.results()).toEqual({ stripe: 0 });
    expect(lines).toMatchObject([
      {
        level: 50,
        msg: 'payment provider does not take all currencies of orders',
        provider: 'stripe',
        err: { message: expect.stringContaining('takes no payments in CHF, ISK') },
      },
    ]);
    stripe.server.account.currencies.push('chf', 'isk');
    await checks.repeat(Date.now() + minuteMs);
    expect(checks.results()).toEqual({ stripe: 1 });
  });

  it.each(['PENDING', 'CANCELLED'])(
    'does not stop the process for orders that nobody paid, which anyone can place: %s',
    async (status) => {
      const { orderId } = await steps.newOrder();
      await setCurrency(orderId, 'CHF');
      await setStatus(orderId, status);
      const checks = checksOf(accountWith());
      await checks.runFirst();
      expect(checks.results()).toEqual({ stripe: 0 });
      await paidOrder();
      await expect(checksOf(accountWith()).runFirst()).resolves.toBeUndefined();
    },
  );

  it('is about the currencies of orders that wait, or were placed in the last 30 days', async () => {
    const resultWith = async (currencies: string[]) => {
      Object.assign(stripe.server.account, { currencies });
      const checks = checksOf(accountWith());
      await checks.runFirst();
      return checks.results().stripe;
    };
    await setCurrency(await paidOrder(), 'EUR');
    const old = await paidOrder();
    await setCurrency(old, 'CHF');
    await steps.rows(
      `update customer_order set created_at = now() - interval '31 days' where id = $1`,
      [old],
    );
    expect(await resultWith(['eur'])).toBe(1);
    await setStatus(old, 'PENDING');
    expect(await resultWith(['eur'])).toBe(0);
    expect(await resultWith(['eur', 'chf'])).toBe(1);
  });

  it('does not stop the process for a former one, whose account may be closed', async () => {
    Object.assign(stripe.server.account, { chargesEnabled: false, currencies: [] });
    const sandbox = createSandboxProvider(stripe.server.url, 'a secret', 400);
    opened.push(sandbox);
    const former = [accountWith('sk_live_y', 'old'), accountWith('sk_live_revoked', 'revoked')];
    const current: PaymentProvider = { ...sandbox, check: async () => {} };
    const checks = checksOf(current, former);
    await checks.runFirst();
    expect(checks.results()).toEqual({ sandbox: 1, old: 1, revoked: 0 });
  });

  it.each(['500', '429', 'no response', '403'] as const)(
    'that meets a %s does not stop the process, and is repeated ever less often',
    async (fault) => {
      const { server } = stripe;
      const type = 'invalid_request_error' as const;
      const refusal = { status: 403, body: { error: { type, message: 'No permission.' } } };
      const next = fault === '403' ? refusal : fault;
      const provider = createStripeProvider({ ...stripe.settings, timeLimitMs: 200 });
      opened.push(provider);
      const checks = checksOf(provider);
      server.failNextOf(/account$/, next, next);
      await checks.runFirst();
      const startedAt = Date.now();
      expect(checks.results()).toEqual({ stripe: 0 });
      await checks.repeat(startedAt);
      expect(server.faultsLeft()).toBe(1);
      await checks.repeat(startedAt + minuteMs / 3);
      expect(server.faultsLeft()).toBe(0);
      await checks.repeat(startedAt + minuteMs / 2);
      expect(checks.results()).toEqual({ stripe: 0 });
      await checks.repeat(startedAt + 2 * minuteMs);
      expect(checks.results()).toEqual({ stripe: 1 });
    },
  );

  it('that finds a contradiction later does not stop the process, which refunds and takes webhooks', async () => {
    const { server } = stripe;
    const checks = checksOf(accountWith());
    server.failNextOf(/account$/, '500');
    await checks.runFirst();
    Object.assign(server.account, { chargesEnabled: false });
    await checks.repeat(Date.now() + minuteMs);
    expect(checks.results()).toEqual({ stripe: 0 });
    Object.assign(server.account, { chargesEnabled: true });
    await checks.repeat(Date.now() + 10 * minuteMs);
    expect(checks.results()).toEqual({ stripe: 1 });
  });

  it('of the sandbox is whether it is reached', async () => {
    const away = createSandboxProvider('http://127.0.0.1:1', 'a secret', 400);
    opened.push(away);
    const failure = await away.check?.([]).catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(Contradiction);
  });
});
