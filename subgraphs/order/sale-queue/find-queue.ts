import type { EntityManager } from '@mikro-orm/postgresql';
import { type BatchLoad, inOrderOf } from '../../shared/graphql/context.js';
import type { FollowApp } from './follow-sales.js';
import { SaleQueue } from './sale-queue.js';
import { storeQueues } from './store-queues.js';

/** Queues by sale; null for a sale without one, or one that this subgraph does not know yet. */
export const loadQueues: BatchLoad<
  string,
  SaleQueue | null,
  { readonly em: EntityManager }
> = async (saleIds, { em }) => {
  const rows = await em.fork().find(SaleQueue, { saleId: { $in: [...new Set(saleIds)] } });
  return inOrderOf(saleIds, rows, ({ saleId }) => saleId);
};

/**
 * The queue of a sale. It is made where the sale has just been published.
 *
 * @returns null for a sale that has no queue, and none that is published
 * @throws `TRY_AGAIN` while the shop subgraph does not answer for a sale that is not known yet
 */
export async function findQueue(
  app: FollowApp,
  em: EntityManager,
  saleId: string,
): Promise<SaleQueue | null> {
  const [known] = await loadQueues([saleId], { em });
  if (known) return known;
  const sale = (await app.saleReads.sales([saleId])).get(saleId);
  if (sale?.admission !== 'QUEUED') return null;
  await storeQueues(em, [sale], app.beacon);
  return (await loadQueues([saleId], { em }))[0] ?? null;
}
