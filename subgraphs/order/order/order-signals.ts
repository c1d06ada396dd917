import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';

type Tell = (orderIds: readonly string[]) => void;

/** by the event manager, which all managers of a process share */
const tellers = new WeakMap<object, Tell>();
const changedIn = new WeakMap<object, Set<string>>();

/** Has `tell` hear of the orders that a transaction changed, once it is committed. */
export function hearOfChanges({ em }: MikroORM, tell: Tell): void {
  const events = em.getEventManager();
  tellers.set(events, tell);
  events.registerSubscriber({
    afterTransactionCommit({ transaction }) {
      const changed = transaction && changedIn.get(transaction);
      if (changed) tell([...changed]);
    },
  });
}

/** Notes that an order changed: in the transaction of `em`, or, where it has none, just now. */
export function noteChanged(em: EntityManager, orderId: string): void {
  const transaction = em.getTransactionContext<object>();
  if (!transaction) {
    tellers.get(em.getEventManager())?.([orderId]);
    return;
  }
  const changed = changedIn.get(transaction) ?? new Set();
  changedIn.set(transaction, changed.add(orderId));
}
