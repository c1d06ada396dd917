/**
 * By entity, the subscribers that have joined a feed and have not received its latest result, even if it did not
 * change.
 */
export class AwaitedResults<S> {
  readonly #byKey = new Map<string, Set<S>>();
  readonly #bySubscriber = new Map<S, Set<string>>();

  add(key: string, subscriber: S): void {
    addTo(this.#byKey, key, subscriber);
    addTo(this.#bySubscriber, subscriber, key);
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** The subscribers that await the result of the entity; they await it no longer. */
  take(key: string): ReadonlySet<S> {
    const subscribers = this.#byKey.get(key) ?? new Set();
    this.#byKey.delete(key);
    for (const each of subscribers) removeFrom(this.#bySubscriber, each, key);
    return subscribers;
  }

  /** Takes time for the entities that this subscriber awaits, not for all that are awaited. */
  remove(subscriber: S): void {
    for (const key of this.#bySubscriber.get(subscriber) ?? []) {
      removeFrom(this.#byKey, key, subscriber);
    }
    this.#bySubscriber.delete(subscriber);
  }

  clear(): void {
    this.#byKey.clear();
    this.#bySubscriber.clear();
  }
}

function addTo<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.add(value);
  else map.set(key, new Set([value]));
}

function removeFrom<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const values = map.get(key);
  values?.delete(value);
  if (values?.size === 0) map.delete(key);
}
