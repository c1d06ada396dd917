import { LRUCache } from 'lru-cache';
import { RateLimiterRes } from 'rate-limiter-flexible';

/** Consumes points in the counter that all routers share. @throws RateLimiterRes over the limit */
export type ConsumeShared = (key: string, points: number) => Promise<RateLimiterRes>;

export interface BudgetOptions {
  /** of all routers in one window */
  readonly points: number;
  readonly seconds: number;
  /** more than 1; fewer than this many points of a key are admitted without being reported */
  readonly slice: number;
}

/** What this router knows of one key. */
interface Budget {
  /** points of all routers by the last reply; of a window that is over, it leads to a report too early */
  known: number;
  /** admitted here, and not reported yet */
  unreported: number;
  /** admitted here, in reports without a reply */
  reporting: number;
  /** points in requests without a reply: `reporting`, and those that wait to be admitted */
  requested: number;
}

// An attacker with more addresses than this drops counts of less than a slice each.
const keysMax = 20_000;
const ttlResolution = 1000;

/**
 * Consumes points of a key from a budget of this router. The request that exceeds it reports what was admitted, and
 * waits for the reply. All routers together admit at most `points + (routers - 1) × (slice - 1)` in a window; one
 * router alone admits exactly `points`.
 *
 * @returns a function that throws RateLimiterRes over the limit
 */
export function withLocalBudget(consumeShared: ConsumeShared, options: BudgetOptions) {
  const { points: limit, seconds, slice } = options;
  const budgets = new LRUCache<string, Budget>({
    max: keysMax,
    // What was admitted before a pause as long as a window was admitted in an earlier one.
    ttl: seconds * 1000 + ttlResolution,
    ttlResolution,
    updateAgeOnGet: true,
  });

  function budgetOf(key: string): Budget {
    let budget = budgets.get(key);
    if (!budget) {
      budget = { known: 0, unreported: 0, reporting: 0, requested: 0 };
      budgets.set(key, budget);
    }
    return budget;
  }

  return async (key: string, points: number): Promise<void> => {
    const budget = budgetOf(key);
    const local = budget.unreported + points;
    const isWithinSlice = budget.reporting + local < slice;
    if (isWithinSlice && budget.known + budget.requested + local <= limit) {
      budget.unreported = local;
      return;
    }
    const reported = budget.unreported;
    budget.unreported = 0;
    budget.reporting += reported;
    budget.requested += local;
    try {
      budget.known = (await consumeShared(key, local)).consumedPoints;
    } catch (refusal) {
      // A refusal from memory has no count.
      if (refusal instanceof RateLimiterRes) budget.known = refusal.consumedPoints || limit;
      throw refusal;
    } finally {
      budget.reporting -= reported;
      budget.requested -= local;
    }
  };
}
