import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';

type Listener = (orderIds: readonly string[]) => void;

/** by MikroORM’s event manager, which all entity managers of a process share */
const listeners = new WeakMap<object, Listener>();
const changedIn = new WeakMap<object, Set<string>>();

/** Calls `listener` with the orders that a transaction changed, after its commit. */
export function onOrdersChanged({ em }: MikroORM, listener: Listener): void {
  const events = em.getEventManager();
  listeners.set(events, listener);
  events.registerSubscriber({
    afterTransactionCommit({ transaction }) {
      const changed = transaction && changedIn.get(transaction);
      if (changed) listener([...changed]);
    },
  });
}

/** Marks an order as changed: by the transaction of `em`, or at once if there is none. */
export function markChanged(em: EntityManager, orderId: string): void {
  const transaction = em.getTransactionContext<object>();
  if (!transaction) {
    listeners.get(em.getEventManager())?.([orderId]);
    return;
  }
  const changed = changedIn.get(transaction) ?? new Set();
  changedIn.set(transaction, changed.add(orderId));
}
