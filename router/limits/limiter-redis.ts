import type { Redis } from 'ioredis';

// Far more than Redis needs, and short enough to wait for once in a while.
export const limiterCommandMaxMs = 200;
const pauseMs = 2000;

type Counted = [consumed: number, ttlMs: number];
type CountCommand = { rlflxIncr(args: string[]): Promise<Counted> };

/** The part of a Redis client that `RateLimiterRedis` uses. */
export interface LimiterRedis extends CountCommand {
  readonly status: string;
  defineCommand: Redis['defineCommand'];
}

/**
 * A Redis that failed is left alone for a while: its status is not `ready`, and limits are counted in
 * memory meanwhile. Then one request tries it again, so that one that hangs keeps up one request in
 * `pauseMs`, not each.
 */
export function pausedAfterFailure(redis: Redis, nowMs = () => Date.now()): LimiterRedis {
  let failed = false;
  let pausedUntilMs = 0;
  return {
    get status() {
      return nowMs() < pausedUntilMs ? 'paused' : redis.status;
    },
    defineCommand: (name, definition) => redis.defineCommand(name, definition),
    async rlflxIncr(args) {
      if (failed) pausedUntilMs = nowMs() + pauseMs;
      try {
        const counted = await (redis as unknown as CountCommand).rlflxIncr(args);
        failed = false;
        pausedUntilMs = 0;
        return counted;
      } catch (error) {
        failed = true;
        pausedUntilMs = nowMs() + pauseMs;
        throw error;
      }
    },
  };
}
