import type { EntityManager } from '@mikro-orm/postgresql';
import { event, type PayloadOf } from '../../contracts/events.js';
import { enqueue } from '../../shared/messaging/outbox.js';

/**
 * Has the warehouse subgraph put what was sold of one shop’s part back on its shelves (RETURN),
 * once; told by the outbox, in the transaction of `em`.
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
