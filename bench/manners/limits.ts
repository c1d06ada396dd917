import { redisDatabase } from '../../dev/databases/redis.js';
import { createCharge } from '../../router/limits/charge.js';
import { withCooldown } from '../../router/limits/limiter-redis.js';
import {
  createRateLimits,
  type RateLimitTable,
  rateLimitNames,
  rateLimitProfiles,
} from '../../router/limits/rate-limits.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { closeRedis, createRedis } from '../../subgraphs/shared/runtime/redis.js';

const requests = 20_000;
const atOnce = 32;
const users = 500;
const cost = 38_000;

const { bench } = rateLimitProfiles;
const withoutSlices = Object.fromEntries(
  rateLimitNames.map((name) => [name, { ...bench[name], slice: 1 }]),
) as RateLimitTable;

/** Charges of requests of many signed-in users with one address each, as the router makes them. */
export async function openLimits(redisUrl: string) {
  const redis = createRedis(redisDatabase(redisUrl, 4), createLogger('bench', 'warn'), 'limits', {
    commandTimeout: 10_000,
    enableAutoPipelining: true,
  });
  await redis.connect();
  const limiters = {
    'each request at Redis': createRateLimits(withoutSlices, withCooldown(redis), new Registry()),
    'in slices': createRateLimits(bench, withCooldown(redis), new Registry()),
  };
  async function cpuMsOf(limiter: keyof typeof limiters): Promise<number> {
    const before = process.cpuUsage();
    for (let sent = 0; sent < requests; ) {
      const charges = Array.from({ length: atOnce }, () => {
        const user = String(sent++ % users);
        return createCharge(limiters[limiter], `192.0.2.${user}`, user)(cost);
      });
      await Promise.all(charges);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / requests;
  }
  return {
    names: Object.keys(limiters) as (keyof typeof limiters)[],
    cpuMsOf,
    close: () => closeRedis(redis),
  };
}
