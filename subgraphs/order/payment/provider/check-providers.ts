import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { ConfigError } from '../../../shared/config.js';
import { sql } from '../../../shared/database/sql.js';
import type { Logger } from '../../../shared/observability/logger.js';
import { Contradiction, type PaymentProvider } from './payment-provider.js';
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

/**
 * A contradiction stops the process only at its start, and only of the current provider: an account that
 * was closed must not stop sales by another, and processes that run still refund and take webhooks.
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
      const isCurrent = provider === providers.current;
      await provider.check?.(isCurrent ? await currenciesOfOrders(orm.em.fork()) : null);
      Object.assign(state, { isChecked: true, failures: 0 });
      return null;
    } catch (error) {
      const delayMs = Math.min(retryFirstMs * 2 ** state.failures, retryMaxMs);
      Object.assign(state, { failures: state.failures + 1, nextAt: now + delayMs });
      const isContradiction = error instanceof Contradiction;
      const message = isContradiction
        ? 'payment provider contradicts the configuration'
        : 'payment provider could not be checked; it is checked again';
      logger[isContradiction ? 'error' : 'warn']({ err: error, provider: provider.name }, message);
      return isContradiction ? error : null;
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

/** The currencies of the orders that wait for payment, or were placed in the last 30 days: of the newest. */
async function currenciesOfOrders(em: EntityManager): Promise<string[]> {
  const rows = await sql<{ code: string }>(em, currenciesSql, [recentDays, ordersMax]);
  return rows.map(({ code }) => code);
}

// customer_order by its key, which begins with its time; customer_order_status.
const currenciesSql = `
  select distinct currency_code as code from (
    (select currency_code from (
      select currency_code, number, created_at from customer_order order by id desc limit $2
    ) as newest where number is not null and created_at > now() - $1 * interval '1 day')
    union all
    (select currency_code from customer_order where status = 'PENDING'
     order by created_at desc limit $2)
  ) as orders order by code`;
