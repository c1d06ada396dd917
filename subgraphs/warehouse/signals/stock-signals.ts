import type { Redis } from 'ioredis';
import type { StockKey } from '../../contracts/stock-key.js';
import type { Logger } from '../../shared/observability/logger.js';
import { type ReservationTimer, TimerWatch, timerExpiry, timerKey } from './reservation-timers.js';

/** A committed change of a stock item, as published over Redis. */
export interface StockChanged extends StockKey {
  readonly available: number;
  readonly version: number;
  /** RFC 3339 */
  readonly at: string;
}

export const stockChannel = 'stock';

/** What is sent to Redis after a commit. */
export interface Signals {
  readonly changed?: readonly StockChanged[];
  /** reservations whose timers to set */
  readonly armed?: readonly ReservationTimer[];
  /** orders whose timers to remove */
  readonly disarmed?: readonly string[];
}

/**
 * Sends a commit's effects to Redis, in one pipeline and without waiting: stock changes for
 * subscribers, and timers of reservations. What is lost is recovered: changes by `StockFeeds`,
 * timers by the sweeper.
 */
export interface StockSignals {
  readonly watch: TimerWatch;
  send(signals: Signals): void;
}

// One command for all timers of a batch. If Redis's clock is ahead, a key may be due when it is
// set: none expires earlier than `soonestMs` from now.
const soonestMs = 50;
const armScript = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  for i = 1, #KEYS do
    local at = tonumber(ARGV[i])
    if string.sub(ARGV[i], 1, 1) == '+' then at = now + at end
    at = math.max(at, now + ${soonestMs})
    redis.call('SET', KEYS[i], '', 'PXAT', string.format('%d', at))
  end`;
// Keys of one command, changes of one message: a whole warehouse may change at once.
const keysMax = 1000;

export function createStockSignals(redis: Redis, logger: Logger): StockSignals {
  redis.defineCommand('armTimers', { lua: armScript });
  const watch = new TimerWatch();
  let lastRefusal = '';
  return {
    watch,
    send({ changed = [], armed = [], disarmed = [] }) {
      const commands: (string | number)[][] = [];
      for (const timers of chunksOf(armed)) {
        const keys = timers.map(({ orderId }) => timerKey(orderId));
        commands.push(['armTimers', keys.length, ...keys, ...timers.map(timerExpiry)]);
      }
      for (const orderIds of chunksOf(disarmed)) commands.push(['del', ...orderIds.map(timerKey)]);
      for (const some of chunksOf(changed)) {
        commands.push(['publish', stockChannel, JSON.stringify(some)]);
      }
      if (commands.length === 0) return;
      watch.add(armed);
      watch.forget(disarmed);
      redis
        .pipeline(commands)
        .exec()
        .then((answers) => {
          const reason = answers?.find(([error]) => error)?.[0]?.message ?? '';
          // Each batch would log the same as long as Redis has no memory left.
          if (reason && reason !== lastRefusal) {
            logger.warn({ reason }, 'Redis refused timers or events');
          }
          lastRefusal = reason;
        })
        .catch((error: Error) => {
          logger.debug({ reason: error.message }, 'stock publish failed');
        });
    },
  };
}

function* chunksOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += keysMax) yield items.slice(at, at + keysMax);
}
