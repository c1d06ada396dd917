import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';

type Listener = (orderIds: readonly string[]) => void;

/** by the event manager, which all managers of a process share */
const listeners = new WeakMap<object, Listener>();
const changedIn = new WeakMap<object, Set<string>>();

/** Has `listener` hear of the orders that a transaction changed, once it is committed. */
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

/** Notes that an order changed: in the transaction of `em`, or, where it has none, just now. */
export function markChanged(em: EntityManager, orderId: string): void {
  const transaction = em.getTransactionContext<object>();
  if (!transaction) {
    listeners.get(em.getEventManager())?.([orderId]);
    return;
  }
  const changed = changedIn.get(transaction) ?? new Set();
  changedIn.set(transaction, changed.add(orderId));
}
