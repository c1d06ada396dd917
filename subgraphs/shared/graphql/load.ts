import type {
  EntityClass,
  EntityManager,
  FilterQuery,
  OrderDefinition,
} from '@mikro-orm/postgresql';
import { type Connection, type PageArgs, pageRequest, toConnection } from './connection.js';
import { type BatchLoad, inOrderOf } from './context.js';

interface Reader {
  readonly em: EntityManager;
}

/** Entities by a unique key, in one statement; null for a key that is not there. */
export function loadBy<T extends object>(
  type: EntityClass<T>,
  key: keyof T & string,
): BatchLoad<string, T | null, Reader> {
  return async (keys, { em }) => {
    const rows = await em.find<T>(type, { [key]: { $in: [...keys] } } as FilterQuery<NoInfer<T>>);
    return inOrderOf(keys, rows, (row) => row[key] as string);
  };
}

/** All entities that belong to each key, in one statement and in the order asked for. */
export function loadAllBy<T extends object>(
  type: EntityClass<T>,
  key: keyof T & string,
  orderBy: OrderDefinition<T>,
): BatchLoad<string, T[], Reader> {
  return async (keys, { em }) => {
    const where = { [key]: { $in: [...keys] } } as FilterQuery<NoInfer<T>>;
    const rows = await em.find<T>(type, where, { orderBy });
    const byKey = Map.groupBy(rows, (row) => row[key] as string);
    return keys.map((each) => byKey.get(each) ?? []);
  };
}

/**
 * As `batch`, with rows as they are now: the manager of a subscription, or of a request that changes
 * what it shows, goes on showing what it read first.
 */
export const uncached =
  <K, V>(batch: BatchLoad<K, V, Reader>): BatchLoad<K, V, Reader> =>
  (keys, { em }) =>
    batch(keys, { em: em.fork() });

/** A page of a list in the order of ids, which is that of time. @throws `BAD_USER_INPUT` */
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
