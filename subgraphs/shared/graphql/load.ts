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
    const byKey = await findAllBy(em, type, key, { [key]: inAnyOf(keys) }, orderBy);
    return keys.map((each) => byKey.get(each) ?? []);
  };
}

/**
 * As `loadAllBy`, for rows that are in the shard of their parent.
 *
 * @param shard the property of both with the shop or customer
 */
export function loadAllInShards<T extends object, S extends keyof T & string>(
  type: EntityClass<T>,
  shard: S,
  key: keyof T & string,
  orderBy: OrderDefinition<T>,
): BatchLoad<{ readonly id: string } & Readonly<Record<S, string>>, T[], Reader> {
  return async (parents, { em }) => {
    const where = {
      [shard]: inAnyOf(parents.map((parent) => parent[shard])),
      [key]: inAnyOf(parents.map(({ id }) => id)),
    };
    const byKey = await findAllBy(em, type, key, where, orderBy);
    return parents.map(({ id }) => byKey.get(id) ?? []);
  };
}

const inAnyOf = (values: readonly string[]) => ({ $in: [...new Set(values)] });

async function findAllBy<T extends object>(
  em: EntityManager,
  type: EntityClass<T>,
  key: keyof T & string,
  where: object,
  orderBy: OrderDefinition<T>,
): Promise<Map<string, T[]>> {
  const filter = where as FilterQuery<NoInfer<T>>;
  const rows = await em.find<T>(type, filter, { orderBy, limit: rowsMax + 1 });
  return Map.groupBy(requireRowsWithin(rows), (row) => row[key] as string);
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
