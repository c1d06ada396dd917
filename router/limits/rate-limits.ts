import { setImmediate as nextTurn } from 'node:timers/promises';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { rateLimited } from '../../subgraphs/shared/errors.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import type { Registry } from '../../subgraphs/shared/observability/metrics.js';
import type { LimiterRedis } from './limiter-redis.js';
import { withLocalBudget } from './local-budget.js';
import { refusalCounter } from './refusal-counter.js';

/** At most `times` in `seconds`, from the first request on. */
export interface RateLimit {
  readonly points: number;
  readonly seconds: number;
  /** fewer than this many points of a key a router admits without a message to Redis; by default none: exact */
  readonly slice?: number;
}

// Keys and numbers: docs/adr/0007-limits-at-the-router.md.
const standard = {
  /** all requests, by address; of webhooks those that are refused (webhook-limit.ts) */
  ip: { points: 600, seconds: 10, slice: 30 },
  /** all requests, by user */
  user: { points: 100, seconds: 10, slice: 5 },
  /** cost of operations and events, in thousands, by address */
  ipCost: { points: 10_000, seconds: 10, slice: 500 },
  /** cost of operations and events, in thousands, by user */
  userCost: { points: 4000, seconds: 10, slice: 200 },
  /** logins and other guesses of secrets, by address */
  login: { points: 30, seconds: 60 },
  /** logins, by e-mail address or phone number */
  identity: { points: 10, seconds: 60 },
  /** one-time codes sent, by address */
  code: { points: 10, seconds: 60 },
  /** new accounts, by address */
  register: { points: 20, seconds: 60 },
  /** refreshed sessions, by address */
  refresh: { points: 120, seconds: 60 },
} satisfies Record<string, RateLimit>;

export type RateLimitName = keyof typeof standard;
export type RateLimitTable = Readonly<Record<RateLimitName, RateLimit>>;
export const rateLimitNames = Object.keys(standard) as RateLimitName[];

const benchPoints = 10_000_000;

/** `RATE_LIMIT_PROFILE` → the limits. `bench` counts as usual, with limits that are practically never reached. */
export const rateLimitProfiles = {
  standard,
  bench: Object.fromEntries(
    rateLimitNames.map((name) => [name, { ...standard[name], points: benchPoints }]),
  ) as RateLimitTable,
} satisfies Record<string, RateLimitTable>;

/** Logs limits that are not the standard ones. */
export function warnOfRaisedLimits(profile: keyof typeof rateLimitProfiles, logger: Logger): void {
  if (profile === 'standard') return;
  logger.warn({ profile, limits: rateLimitProfiles[profile] }, 'rate limits are raised');
}

const messages: Readonly<Record<RateLimitName, string>> = {
  ip: 'Too many requests from your address. Wait, then try again.',
  user: 'Too many requests from your account. Wait, then try again.',
  ipCost: 'Too much was requested from your address. Request less, or wait, then try again.',
  userCost: 'Too much was requested from your account. Request less, or wait, then try again.',
  login: 'Too many login attempts from your address. Wait, then try again.',
  identity: 'Too many login attempts for this account. Wait, then try again.',
  code: 'Too many codes were requested from your address. Wait, then try again.',
  register: 'Too many accounts were created from your address. Wait, then try again.',
  refresh: 'Too many sessions were refreshed from your address. Wait, then try again.',
};

/**
 * Consumes a limit, `times` at once. With 0 it only refuses a key that this router knows to be over its limit,
 * without a message to Redis.
 *
 * @throws `RATE_LIMITED`, with `retryAfterMs`, over the limit
 */
export type ConsumeLimit = (name: RateLimitName, key: string, times?: number) => Promise<void>;

/**
 * Limits that all routers share in Redis, those with a slice through a budget of this router; each counts in its
 * own memory while Redis is unavailable. Refusals are answered from memory until the time is up.
 */
export function createRateLimits(
  table: RateLimitTable,
  redis: LimiterRedis,
  registry: Registry,
): ConsumeLimit {
  const limiters = Object.fromEntries(
    rateLimitNames.map((name) => [name, createLimiter(name, table[name], redis)]),
  ) as Record<RateLimitName, ReturnType<typeof createLimiter>>;
  const refused = refusalCounter(registry);
  return async (name, key, times = 1) => {
    try {
      if (times > 0) await limiters[name].consume(key, times);
      else limiters[name].refuseBlocked(key);
    } catch (outcome) {
      if (!(outcome instanceof RateLimiterRes)) throw outcome;
      refused.inc({ limit: name });
      throw rateLimited(messages[name], outcome.msBeforeNext);
    }
  };
}

/** The cost that one point of `ipCost` and `userCost` stands for. */
export const costOfPoint = 1000;

/**
 * Charges costs, as `QUERY_COST_MAX` counts them.
 *
 * @throws `RATE_LIMITED`, with `retryAfterMs`, over the limit
 */
export type ConsumeCost = (name: 'ipCost' | 'userCost', key: string, cost: number) => Promise<void>;

interface Charge {
  cost: number;
  readonly outcome: Promise<void>;
}

/**
 * Charges costs in thousands, rounded up for each turn of the event loop. One charge of a key is in flight at a
 * time: costs that arrive meanwhile, or in the same turn, are charged together, and all of them are refused if that
 * is over the limit.
 */
export function createCostLimits(consume: ConsumeLimit): ConsumeCost {
  /** by limit and key: the charge in flight, and the one that follows it */
  const lanes = new Map<string, { last: Promise<unknown>; next: Charge | undefined }>();
  return (name, key, cost) => {
    const id = `${name} ${key}`;
    const lane = lanes.get(id) ?? { last: Promise.resolve(), next: undefined };
    lanes.set(id, lane);
    if (lane.next) {
      lane.next.cost += cost;
      return lane.next.outcome;
    }
    const outcome = Promise.all([lane.last, nextTurn()]).then(() => {
      lane.next = undefined;
      return consume(name, key, Math.ceil(charge.cost / costOfPoint));
    });
    const charge: Charge = { cost, outcome };
    lane.next = charge;
    lane.last = outcome
      .catch(() => {})
      .finally(() => {
        if (!lane.next) lanes.delete(id);
      });
    return outcome;
  };
}

function createLimiter(
  name: string,
  { points, seconds, slice = 1 }: RateLimit,
  redis: LimiterRedis,
) {
  const limit = { keyPrefix: `limit:${name}`, points, duration: seconds };
  const limiter = new RateLimiterRedis({
    ...limit,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    inMemoryBlockOnConsumed: points,
    insuranceLimiter: new RateLimiterMemory(limit),
  });
  const consume = (key: string, times: number) => limiter.consume(key, times);
  return {
    consume: slice > 1 ? withLocalBudget(consume, { points, seconds, slice }) : consume,
    refuseBlocked: (key: string) => refuseBlocked(limiter, key),
  };
}

function refuseBlocked(limiter: RateLimiterRedis, key: string): void {
  // Public, but not among its types.
  const { getInMemoryBlockMsBeforeExpire } = limiter as unknown as {
    getInMemoryBlockMsBeforeExpire(key: string): number;
  };
  const blockedMs = getInMemoryBlockMsBeforeExpire.call(limiter, limiter.getKey(key));
  if (blockedMs > 0) throw new RateLimiterRes(0, blockedMs);
}
