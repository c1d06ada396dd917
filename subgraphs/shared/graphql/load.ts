import type {
  EntityClass,
  EntityManager,
  FilterQuery,
  OrderDefinition,
} from '@mikro-orm/postgresql';
import { type Connection, type PageArgs, pageRequest, toConnection } from './connection.js';
import { type BatchLoad, inOrderOf } from './context.js';
import { requireRowsWithin, rowsMax } from './rows-max.js';

interface Reader {
  readonly em: EntityManager;
}

/** Loads entities by a unique key, in one statement; null for an unknown key. */
export function loadBy<T extends object>(
  type: EntityClass<T>,
  key: keyof T & string,
): BatchLoad<string, T | null, Reader> {
  return async (keys, { em }) => {
    const rows = await em.find<T>(type, { [key]: { $in: [...keys] } } as FilterQuery<NoInfer<T>>);
    return inOrderOf(keys, rows, (row) => row[key] as string);
  };
}

/**
 * Loads all entities of each key, in one statement, ordered.
 *
 * @throws `BAD_USER_INPUT` for more than `rowsMax` of all keys together
 */
export function loadAllBy<T extends object>(
  type: EntityClass<T>,
  key: keyof T & string,
  orderBy: OrderDefinition<T>,
): BatchLoad<string, T[], Reader> {
  return async (keys, { em }) => {
    const where = { [key]: { $in: [...keys] } } as FilterQuery<NoInfer<T>>;
    const rows = await em.find<T>(type, where, { orderBy, limit: rowsMax + 1 });
    const byKey = Map.groupBy(requireRowsWithin(rows), (row) => row[key] as string);
    return keys.map((each) => byKey.get(each) ?? []);
  };
}

/** The id of a parent, and the shard key that its rows have, such as a shop. */
export interface ShardedId {
  readonly shardId: string;
  readonly id: string;
}

/** As `loadAllBy`, for rows in the shards of shops or customers, which the property `shard` names. */
export function loadAllInShards<T extends object>(
  type: EntityClass<T>,
  shard: keyof T & string,
  key: keyof T & string,
  orderBy: OrderDefinition<T>,
): BatchLoad<ShardedId, T[], Reader> {
  return async (parents, { em }) => {
    const where = {
      [shard]: { $in: [...new Set(parents.map(({ shardId }) => shardId))] },
      [key]: { $in: [...new Set(parents.map(({ id }) => id))] },
    } as FilterQuery<NoInfer<T>>;
    const rows = await em.find<T>(type, where, { orderBy, limit: rowsMax + 1 });
    const byKey = Map.groupBy(requireRowsWithin(rows), (row) => row[key] as string);
    return parents.map(({ id }) => byKey.get(id) ?? []);
  };
}

/**
 * As `batch`, with the current rows: the entity manager of a subscription, or of a mutation, would
 * return those that it read first.
 */
export const uncached =
  <K, V>(batch: BatchLoad<K, V, Reader>): BatchLoad<K, V, Reader> =>
  (keys, { em }) =>
    batch(keys, { em: em.fork() });

/** A page of a list ordered by id, which is the order of creation. @throws `BAD_USER_INPUT` */
export async function findPage<T extends { id: string }>(
  em: EntityManager,
  type: EntityClass<T>,
  where: object,
  { first, after, order }: PageArgs & { readonly order: 'asc' | 'desc' },
): Promise<Connection<T>> {
  const { afterId } = pageRequest(first, after);
  const behind = order === 'asc' ? { $gt: afterId } : { $lt: afterId };
  const filter = { ...where, ...(afterId && { id: behind }) } as FilterQuery<NoInfer<T>>;
  const orderBy = { id: order } as OrderDefinition<T>;
  return toConnection(await em.find<T>(type, filter, { orderBy, limit: first + 1 }), first);
}
