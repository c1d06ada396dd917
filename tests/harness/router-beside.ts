import { type Overrides, startRouter } from '../../router/index.js';
import {
  type RateLimitName,
  type RateLimitTable,
  rateLimitProfiles,
} from '../../router/limits/rate-limits.js';
import type { Service } from '../../subgraphs/shared/runtime/process.js';
import type { TestSystem } from './system.js';

// On a machine that is busy with other tests, Redis is slower than the production limit allows.
const limiterDefaultMs = 10_000;

const running = new Set<Service>();

/** Starts another router of a system, with other settings and its own limits, until `stopRoutersBeside`. */
export async function startRouterBeside(
  system: TestSystem,
  settings: Record<string, string> = {},
  points: Partial<Record<RateLimitName, number>> = {},
  limiterMaxMs = limiterDefaultMs,
  store: Pick<Overrides, 'fileLimit' | 'storeFolder'> = {},
) {
  const env = { ...system.envOf('router'), PORT: '0', OPS_PORT: '0', ...settings };
  const rateLimits = hourly(points);
  const router = await startRouter(env, { rateLimits, limiterMaxMs, ...store });
  running.add(router);
  return { ...router, graphqlUrl: `${router.url}/graphql` };
}

export async function stopRoutersBeside(): Promise<void> {
  const all = [...running];
  running.clear();
  await Promise.all(all.map((router) => router.stop()));
}

/** Limits per hour, so that no window ends during a test; limits that are not named are off. */
function hourly(points: Partial<Record<RateLimitName, number>>): RateLimitTable {
  const named = Object.entries(points).map(([name, each]) => {
    return [name, { points: each, seconds: 3600 }];
  });
  return { ...rateLimitProfiles.bench, ...Object.fromEntries(named) };
}
