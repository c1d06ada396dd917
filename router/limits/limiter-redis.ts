import type { Redis } from 'ioredis';

// Much longer than Redis needs, and short enough to wait for now and then.
export const limiterCommandMaxMs = 200;
const cooldownMs = 2000;

type IncrResult = [consumed: number, ttlMs: number];
type IncrementCommand = { rlflxIncr(args: string[]): Promise<IncrResult> };

/** The part of a Redis client that `RateLimiterRedis` uses. */
export interface LimiterRedis extends IncrementCommand {
  readonly status: string;
  defineCommand: Redis['defineCommand'];
}

/**
 * Skips a Redis that failed for `cooldownMs`: its status is not `ready`, and limits are counted in memory.
 * Then one request tries it again, so that a Redis that hangs delays one request in that time, not each.
 */
export function withCooldown(redis: Redis, nowMs = () => Date.now()): LimiterRedis {
  let failed = false;
  let coolsDownUntilMs = 0;
  return {
    get status() {
      return nowMs() < coolsDownUntilMs ? 'cooling down' : redis.status;
    },
    defineCommand: (name, definition) => redis.defineCommand(name, definition),
    async rlflxIncr(args) {
      if (failed) coolsDownUntilMs = nowMs() + cooldownMs;
      try {
        const result = await (redis as unknown as IncrementCommand).rlflxIncr(args);
        failed = false;
        coolsDownUntilMs = 0;
        return result;
      } catch (error) {
        failed = true;
        coolsDownUntilMs = nowMs() + cooldownMs;
        throw error;
      }
    },
  };
}
