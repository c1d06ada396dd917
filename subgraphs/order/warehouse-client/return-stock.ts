import type { EntityManager } from '@mikro-orm/postgresql';
import { event, type PayloadOf } from '../../contracts/events.js';
import { enqueue } from '../../shared/messaging/outbox.js';

/**
 * Has the warehouse subgraph put the sold units of shop orders back into stock (RETURN), once.
 * Enqueued in the outbox, in the transaction of `em`.
 */
export function returnStock(
  em: EntityManager,
  returns: ReadonlyArray<PayloadOf<'order.stock.returned'>>,
): Promise<void> {
  return enqueue(
    em,
    returns.map((payload) => event('order.stock.returned', payload)),
  );
}
