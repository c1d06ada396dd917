import type { EntityManager } from '@mikro-orm/postgresql';
import type { FollowApp } from './follow-sales.js';
import type { QueueReads } from './queue-reads.js';
import type { SaleQueue } from './sale-queue.js';
import { storeQueues } from './store-queues.js';

export type FindQueueApp = FollowApp & { readonly queueReads: QueueReads };

/**
 * The queue of a sale. It is made where the sale has just been published.
 *
 * @returns null for a sale that has no queue, and none that is published
 * @throws `TRY_AGAIN` while the shop subgraph does not answer for a sale that is not known yet
 */
export async function findQueue(
  app: FindQueueApp,
  em: EntityManager,
  saleId: string,
): Promise<SaleQueue | null> {
  const known = await app.queueReads.queue(saleId);
  if (known) return known;
  const sale = (await app.saleReads.sales([saleId])).get(saleId);
  if (sale?.admission !== 'QUEUED') return null;
  await storeQueues(em, [sale], app.beacon);
  return app.queueReads.queue(saleId);
}
