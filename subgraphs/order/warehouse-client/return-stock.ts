import type { EntityManager } from '@mikro-orm/postgresql';
import { enqueue } from '../../shared/messaging/outbox.js';

/** The event by which the warehouse subgraph learns that a sold part of an order comes back. */
export interface StockReturned {
  readonly orderId: string;
  readonly shopId: string;
  readonly reason: string;
}

/**
 * Has the warehouse subgraph put what was sold of one shop’s part back on its shelves (RETURN),
 * once; told by the outbox, in the transaction of `em`.
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
