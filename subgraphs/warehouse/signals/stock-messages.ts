import type { Redis } from 'ioredis';
import { createMessageQueue } from '../../shared/messaging/message-queue.js';
import type { Logger } from '../../shared/observability/logger.js';
import { keepSubscribed } from '../../shared/runtime/redis.js';
import { type StockChanged, stockChannel } from './stock-signals.js';

export interface StockListener {
  /** Whether it wants no changes at the moment. */
  isIdle(): boolean;
  handle(changes: readonly StockChanged[]): Promise<void> | void;
}

/** Stock changes that any process publishes over Redis; some may be lost. */
export interface StockMessages {
  listen(listener: StockListener): void;
}

/** Subscribes to stock changes. Messages are parsed once for all listeners, and not while all are idle. */
export function createStockMessages(redis: Redis, logger: Logger): StockMessages {
  const listeners: StockListener[] = [];
  const add = createMessageQueue<string>('a stock message', logger, async (message) => {
    const changes = JSON.parse(message) as StockChanged[];
    for (const listener of listeners) if (!listener.isIdle()) await listener.handle(changes);
  });
  keepSubscribed(redis, stockChannel);
  redis.on('message', (channel, message) => {
    if (channel !== stockChannel || listeners.every((listener) => listener.isIdle())) return;
    add(message);
  });
  return { listen: (listener) => void listeners.push(listener) };
}
