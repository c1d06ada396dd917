import type { EntityManager } from '@mikro-orm/postgresql';

type Listener<T> = (marks: readonly T[]) => void;

/** Notifies a listener of what transactions marked, such as ids, after their commit. */
export interface CommitSignal<T> {
  /** Calls `listener` after each commit, with the distinct marks of the transaction. */
  listen(orm: { readonly em: EntityManager }, listener: Listener<T>): void;
  /** Marks for the commit of the transaction of `em`, or at once if there is none. */
  mark(em: EntityManager, marks: readonly T[]): void;
}

/** A process has one listener per signal. Without one, marks are ignored. */
export function createCommitSignal<T = string>(): CommitSignal<T> {
  /** by MikroORM’s event manager, which all entity managers of a process share */
  const listeners = new WeakMap<object, Listener<T>>();
  const markedIn = new WeakMap<object, Set<T>>();
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
    mark(em, marks) {
      if (marks.length === 0) return;
      const transaction = em.getTransactionContext<object>();
      if (!transaction) {
        listeners.get(em.getEventManager())?.(marks);
        return;
      }
      const marked = markedIn.get(transaction) ?? new Set();
      for (const mark of marks) marked.add(mark);
      markedIn.set(transaction, marked);
    },
  };
}
