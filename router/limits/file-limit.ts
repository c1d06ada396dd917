import { LRUCache } from 'lru-cache';
import { rateLimited } from '../../subgraphs/shared/errors.js';
import type { Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { RateLimit, rateLimitProfiles } from './rate-limits.js';
import { refusalCounter } from './refusal-counter.js';

/**
 * `RATE_LIMIT_PROFILE` → files of the store for one address, from each router. The first page has five: index.html,
 * script, style, icon and config.json. So 1,500 are 300 first visits from one office; later visits take most of them
 * from the browser's cache.
 */
export const fileLimits: Readonly<Record<keyof typeof rateLimitProfiles, RateLimit>> = {
  standard: { points: 1500, seconds: 10 },
  bench: { points: 10_000_000, seconds: 10 },
};

// An attacker with more addresses than this evicts counters, so each address starts again at zero.
const addressesMax = 20_000;

/** @throws `RATE_LIMITED`, with `retryAfterMs`, over the limit */
export type ConsumeFileLimit = (address: string) => void;

/**
 * Counts the requests of files by address, in the memory of this router: answering one from memory is cheaper than
 * a message to Redis. (RateLimiterMemory of rate-limiter-flexible has a timer for each key, and no limit of keys.)
 */
export function createFileLimit(
  { points, seconds }: RateLimit,
  registry: Registry,
  keysMax = addressesMax,
): ConsumeFileLimit {
  const refused = refusalCounter(registry);
  /** address → its requests since the first one, for `seconds` */
  const windows = new LRUCache<string, { count: number }>({
    max: keysMax,
    ttl: seconds * 1000,
    // The cache would keep the clock of its import, which a test cannot replace.
    perf: { now: () => performance.now() },
  });
  return (address) => {
    const window = windows.get(address);
    if (!window) {
      windows.set(address, { count: 1 });
      return;
    }
    window.count += 1;
    if (window.count <= points) return;
    refused.inc({ limit: 'files' });
    throw rateLimited(
      'Too many files were requested from your address. Wait, then try again.',
      windows.getRemainingTTL(address),
    );
  };
}
