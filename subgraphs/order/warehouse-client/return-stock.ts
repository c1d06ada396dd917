import type { EntityManager } from '@mikro-orm/postgresql';
import { enqueue } from '../../shared/messaging/outbox.js';

/** The event that reports to the warehouse subgraph that sold units of a shop order come back. */
export interface StockReturned {
  readonly orderId: string;
  readonly shopId: string;
  readonly reason: string;
}

/**
 * Has the warehouse subgraph put the sold units of shop orders back into stock (RETURN), once.
 * Enqueued in the outbox, in the transaction of `em`.
 */
export function returnStock(em: EntityManager, returns: readonly StockReturned[]): Promise<void> {
  return enqueue(
    em,
    returns.map((payload) => ({
      consumer: 'warehouse',
      topic: 'stock.returned',
      key: `${payload.orderId}:${payload.shopId}`,
      version: 1,
      payload,
    })),
  );
}
