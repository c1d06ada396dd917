import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { createCommitSignal } from '../../shared/database/commit-signal.js';

const ordersChanged = createCommitSignal();

/** Calls `listener` with the orders that a transaction changed, after its commit. */
export const onOrdersChanged = (orm: MikroORM, listener: (orderIds: readonly string[]) => void) =>
  ordersChanged.listen(orm, listener);

/** Marks an order as changed: by the transaction of `em`, or at once if there is none. */
export const markChanged = (em: EntityManager, orderId: string) =>
  ordersChanged.mark(em, [orderId]);
