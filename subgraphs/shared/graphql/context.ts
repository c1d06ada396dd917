import type { EntityManager } from '@mikro-orm/postgresql';
import DataLoader from 'dataloader';
import type { Principal } from '../auth/callers.js';
import type { Logger } from '../observability/logger.js';

/** The context of every resolver of a subgraph; `app` lives as long as the process. */
export interface SubgraphContext<App = unknown> extends Principal {
  /** a fork for this request, for reads; an operation opens its transaction from it */
  readonly em: EntityManager;
  readonly app: App;
  readonly logger: Logger;
}

/** Loads values for many keys in one statement; returns one value for each key, in order. */
export type BatchLoad<K, V, C extends object> = (keys: readonly K[], context: C) => Promise<V[]>;

// biome-ignore lint/suspicious/noExplicitAny: the map holds loaders of every key and value type
const loaders = new WeakMap<object, Map<BatchLoad<any, any, any>, DataLoader<any, any>>>();

/**
 * The request's DataLoader for a batch function, created at first use. It batches and does not cache:
 * a mutation changes what it then reads, and a subscription has one context for all of its events.
 */
export function loaderOf<K, V, C extends object>(context: C, batch: BatchLoad<K, V, C>) {
  const ofRequest = loaders.get(context) ?? new Map();
  loaders.set(context, ofRequest);
  const known = ofRequest.get(batch) as DataLoader<K, V> | undefined;
  if (known) return known;
  const loader = new DataLoader<K, V>((keys) => batch(keys, context), { cache: false });
  ofRequest.set(batch, loader);
  return loader;
}

/** Sorts rows into the order of the keys; null for a key without a row. */
export function inOrderOf<K, V>(keys: readonly K[], rows: V[], keyOf: (row: V) => K): (V | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return keys.map((key) => byKey.get(key) ?? null);
}
