import { randomUUID } from 'node:crypto';
import { createWebhooks, type Webhooks } from './webhooks.js';

/** The time of the double: the real time, plus what it was advanced by. */
export interface Clock {
  /** ms since the Unix epoch */
  now(): number;
  /** s since the Unix epoch, as Stripe's objects have it */
  seconds(): number;
  advance(ms: number): void;
}

/** How far lists are behind: by a time, or by the last change. A look-up by id is never behind. */
export interface ListLag {
  ms: number;
  missesLastChange: boolean;
}

/** A request to the bank of a card. */
export interface BankAttempt {
  readonly intentId: string;
  readonly method: string;
  outcome: 'approved' | 'declined' | 'undecided';
}

/** What the parts of the double share. */
export interface Account {
  readonly clock: Clock;
  readonly webhooks: Webhooks;
  readonly listLag: ListLag;
  /** every time that a bank was asked for money */
  readonly attempts: BankAttempt[];
}

export function createAccount(): Account {
  let aheadMs = 0;
  const now = () => Date.now() + aheadMs;
  const clock = {
    now,
    seconds: () => Math.floor(now() / 1000),
    advance(ms: number) {
      aheadMs += ms;
    },
  };
  const listLag = { ms: 0, missesLastChange: false };
  return { clock, webhooks: createWebhooks(clock.seconds), listLag, attempts: [] };
}

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;

interface StoredObject {
  readonly id: string;
  readonly created: number;
}

/** All objects of one kind, with their history. Objects are replaced, never changed. */
export interface Store<T extends StoredObject> {
  get(id: string): T | undefined;
  /** oldest first */
  all(): T[];
  /** what a list shows, newest first: behind by the lag of the account */
  listed(): T[];
  /** Stores a new state, and emits the events. */
  put(object: T, ...events: string[]): T;
}

export function createStore<T extends StoredObject>({
  clock,
  listLag,
  webhooks,
}: Account): Store<T> {
  const current = new Map<string, T>();
  const changes: { readonly atMs: number; readonly object: T }[] = [];

  function listed(): T[] {
    const known = changes.filter(({ atMs }) => atMs <= clock.now() - listLag.ms);
    if (listLag.missesLastChange && known.length === changes.length) known.pop();
    return [...new Map(known.map(({ object }) => [object.id, object])).values()].reverse();
  }

  return {
    get: (id) => current.get(id),
    all: () => [...current.values()],
    listed,
    put(object, ...events) {
      current.set(object.id, object);
      changes.push({ atMs: clock.now(), object });
      for (const type of events) webhooks.emit(type, object);
      return object;
    },
  };
}
