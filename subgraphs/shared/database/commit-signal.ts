import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';

type Listener = (ids: readonly string[]) => void;

/** Notifies a listener of the ids that transactions marked, after their commit. */
export interface CommitSignal {
  /** Calls `listener` after each commit, with the distinct ids that the transaction marked. */
  listen(orm: MikroORM, listener: Listener): void;
  /** Marks ids: for the commit of the transaction of `em`, or at once if there is none. */
  mark(em: EntityManager, ids: readonly string[]): void;
}

/** A process has one listener per signal. Without one, marks are ignored. */
export function createCommitSignal(): CommitSignal {
  /** by MikroORM’s event manager, which all entity managers of a process share */
  const listeners = new WeakMap<object, Listener>();
  const markedIn = new WeakMap<object, Set<string>>();
  return {
    listen({ em }, listener) {
      const events = em.getEventManager();
      listeners.set(events, listener);
      events.registerSubscriber({
        afterTransactionCommit({ transaction }) {
          const marked = transaction && markedIn.get(transaction);
          if (marked) listener([...marked]);
        },
      });
    },
    mark(em, ids) {
      if (ids.length === 0) return;
      const transaction = em.getTransactionContext<object>();
      if (!transaction) {
        listeners.get(em.getEventManager())?.(ids);
        return;
      }
      const marked = markedIn.get(transaction) ?? new Set();
      for (const id of ids) marked.add(id);
      markedIn.set(transaction, marked);
    },
  };
}
