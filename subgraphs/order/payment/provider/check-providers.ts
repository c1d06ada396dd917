import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { ConfigError } from '../../../shared/config.js';
import { sql } from '../../../shared/database/sql.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { isWaitingSql } from '../../waiting-orders.js';
import { Contradiction, CurrenciesNotTaken, type PaymentProvider } from './payment-provider.js';
import type { PaymentProviders } from './providers.js';

const retryFirstMs = 15_000;
const retryMaxMs = 900_000;
/** Orders that are read for their currencies: the newest ones, and the newest of those that wait. */
const ordersMax = 10_000;
const recentDays = 30;

/** The checks of the configured providers by themselves (`PaymentProvider.check`). */
export interface ProviderChecks {
  /**
   * Checks the providers for the first time, before the process takes orders. One that does not answer is
   * checked again later.
   *
   * @throws ConfigError in production, if the current provider contradicts the configuration
   */
  runFirst(): Promise<void>;
  /** Checks those again that are due: they did not answer, or contradicted the configuration. */
  repeat(now?: number): Promise<void>;
  /** provider → 1 if its last check succeeded, else 0 */
  results(): Record<string, 0 | 1>;
}

interface CheckState {
  isChecked: boolean;
  failures: number;
  /** Unix ms */
  nextAt: number;
}

/** A currency of orders. */
interface OrderCurrency {
  readonly code: string;
  /** whether an order in it was paid, in the last 30 days */
  readonly isPaid: boolean;
}

/**
 * A contradiction stops the process only at its start, and only of the current provider: an account that
 * was closed must not stop sales by another, and processes that run still refund and take webhooks.
 *
 * Currencies are a contradiction only if the account takes none of those that orders were paid in. Anyone can
 * open a shop in any currency and place an order there, but pays nothing that the account does not take.
 */
export function createProviderChecks(
  { orm, logger }: { readonly orm: MikroORM; readonly logger: Logger },
  providers: PaymentProviders,
  isProduction: boolean,
): ProviderChecks {
  const states = new Map<string, CheckState>(
    providers.names.map((name) => [name, { isChecked: false, failures: 0, nextAt: 0 }]),
  );

  /** @returns what contradicts the configuration */
  async function check(provider: PaymentProvider, now: number): Promise<Contradiction | null> {
    const state = states.get(provider.name) as CheckState;
    try {
      if (provider === providers.current) await checkCurrent();
      else await provider.check?.(null);
      Object.assign(state, { isChecked: true, failures: 0 });
      return null;
    } catch (error) {
      const delayMs = Math.min(retryFirstMs * 2 ** state.failures, retryMaxMs);
      Object.assign(state, { failures: state.failures + 1, nextAt: now + delayMs });
      const [level, message] = logLineOf(error);
      logger[level]({ err: error, provider: provider.name }, message);
      return error instanceof Contradiction ? error : null;
    }
  }

  async function checkCurrent(): Promise<void> {
    const currencies = await currenciesOfOrders(orm.em.fork());
    try {
      await providers.current.check?.(currencies.map(({ code }) => code));
    } catch (error) {
      throw error instanceof CurrenciesNotTaken && takesNone(error, currencies)
        ? new Contradiction(error.message, { cause: error })
        : error;
    }
  }

  return {
    async runFirst() {
      const now = Date.now();
      const found = await Promise.all(providers.all.map((provider) => check(provider, now)));
      const [ofCurrent] = found;
      if (!ofCurrent || !isProduction) return;
      throw new ConfigError([`payment provider ${providers.current.name}: ${ofCurrent.message}`]);
    },
    async repeat(now = Date.now()) {
      for (const provider of providers.all) {
        const { isChecked, nextAt } = states.get(provider.name) as CheckState;
        if (!isChecked && nextAt <= now) await check(provider, now);
      }
    },
    results: () =>
      Object.fromEntries([...states].map(([name, { isChecked }]) => [name, isChecked ? 1 : 0])),
  };
}

/** @returns level and message */
function logLineOf(error: unknown): ['error' | 'warn', string] {
  if (error instanceof Contradiction) {
    return ['error', 'payment provider contradicts the configuration'];
  }
  if (error instanceof CurrenciesNotTaken) {
    return ['error', 'payment provider does not take all currencies of orders'];
  }
  return ['warn', 'payment provider could not be checked; it is checked again'];
}

/** Whether orders were paid, and in none of the currencies that the account takes. */
function takesNone(
  { currencyCodes }: CurrenciesNotTaken,
  currencies: readonly OrderCurrency[],
): boolean {
  const paid = currencies.filter(({ isPaid }) => isPaid);
  return paid.length > 0 && paid.every(({ code }) => currencyCodes.includes(code));
}

/** The currencies of the orders that wait for payment, or were placed in the last 30 days: of the newest. */
function currenciesOfOrders(em: EntityManager): Promise<OrderCurrency[]> {
  return sql<OrderCurrency>(em, currenciesSql, [recentDays, ordersMax]);
}

// customer_order by its id (customer_order_id), which begins with its time; customer_order_pending. Cancelled orders count too: no
// other order is left of a currency that is not taken.
const currenciesSql = `
  select code, bool_or(is_paid) as "isPaid" from (
    (select currency_code as code, status not in ('PENDING', 'CANCELLED') as is_paid from (
      select currency_code, status, number, created_at from customer_order order by id desc limit $2
    ) as newest where number is not null and created_at > now() - $1 * interval '1 day')
    union all
    (select currency_code, false from customer_order where ${isWaitingSql}
     order by expires_at desc limit $2)
  ) as orders group by code order by code`;
