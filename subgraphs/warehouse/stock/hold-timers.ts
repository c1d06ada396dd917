import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/logger.js';

export interface Hold {
  readonly orderId: string;
  readonly expiresAt: Date;
}

const keyPrefix = 'hold:';
// The key outlives the hold a little, so that PostgreSQL's clock has passed when its event comes.
const graceMs = 250;
const pipelineMax = 1000;

/** One Redis key for each hold; that it expires is the sign to look whether the hold is due. */
export interface HoldTimers {
  arm(holds: readonly Hold[]): void;
  disarm(orderIds: readonly string[]): void;
}

export function createHoldTimers(redis: Redis, logger: Logger): HoldTimers {
  const inPipeline = (commands: [string, ...(string | number)[]][], what: string) => {
    for (let at = 0; at < commands.length; at += pipelineMax) {
      redis
        .pipeline(commands.slice(at, at + pipelineMax))
        .exec()
        .catch((error: Error) => logger.debug({ reason: error.message }, what));
    }
  };
  return {
    arm(holds) {
      inPipeline(
        holds.map(({ orderId, expiresAt }) => {
          return ['set', keyPrefix + orderId, '', 'PXAT', expiresAt.getTime() + graceMs];
        }),
        'timers were not set; the sweeper finds these holds',
      );
    },
    disarm(orderIds) {
      inPipeline(
        orderIds.map((orderId) => ['del', keyPrefix + orderId]),
        'timers were not removed; their events find nothing to do',
      );
    },
  };
}

/** @returns the order whose timer this key is, or null for any other key */
export function orderOfTimer(key: string): string | null {
  return key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : null;
}
