import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { Coalescer } from '../shared/batching/coalescer.js';
import { columnsOf } from '../shared/database/columns.js';
import { sqlPrepared, unnestOf } from '../shared/database/sql.js';
import { asBegun } from '../shared/observability/request-context.js';
import type { RowKey } from './row-key.js';

const textOf = ({ customerId, id }: RowKey) => `${customerId} ${id}`;

type Reader<T> = (key: RowKey) => Promise<T | undefined>;

const timeoutMs = 9000;
// The checkouts of one commit end in the same turn: their orders are read together.
const limits = { batchMax: 64, inFlightMax: 8 };

/** by the connection of an entity manager, then by entity */
const readers = new WeakMap<object, Map<EntityClass<RowKey>, Reader<RowKey>>>();

/**
 * As `findOneOrFail` in a fork, for hot paths: rows that are read at the same time share one prepared statement,
 * which PostgreSQL need not plan and MikroORM need not build. It does not see the transaction of `em`, and callers that
 * read the same row at the same time share what is returned.
 */
export async function requireRow<T extends RowKey>(
  em: EntityManager,
  entity: EntityClass<T>,
  key: RowKey,
): Promise<T> {
  const row = await readerOf(em, entity)(key);
  if (!row) throw new Error(`${em.getMetadata().get(entity).tableName} not found: ${key.id}`);
  return row;
}

function readerOf<T extends RowKey>(em: EntityManager, entity: EntityClass<T>): Reader<T> {
  const connection = em.getConnection();
  const ofConnection = readers.get(connection) ?? new Map<EntityClass<RowKey>, Reader<RowKey>>();
  readers.set(connection, ofConnection);
  const known = ofConnection.get(entity) as Reader<T> | undefined;
  if (known) return known;
  const made = createReader(em.fork(), entity);
  ofConnection.set(entity, made);
  return made;
}

function createReader<T extends RowKey>(em: EntityManager, entity: EntityClass<T>): Reader<T> {
  const { tableName } = em.getMetadata().get(entity);
  // The fence keeps the look-ups in the primary key, whatever PostgreSQL thinks of the number of keys.
  const text = `select row.* from ${unnestOf('uuid', 'uuid')} as key (customer_id, id)
    cross join lateral (
      select ${columnsOf(em, entity)} from ${tableName} r
      where r.customer_id = key.customer_id and r.id = key.id offset 0) as row`;
  const reads = new Coalescer<RowKey, T | undefined>(async (keys) => {
    const unique = [...new Map(keys.map((key) => [textOf(key), key])).values()];
    const values = [unique.map(({ customerId }) => customerId), unique.map(({ id }) => id)];
    // What they read is committed: a refusal now would look like one of the whole request.
    const rows = await asBegun(() => sqlPrepared<object>(em, text, values));
    const fork = em.fork();
    const found = rows.map((row) => fork.map(entity, row as never) as T);
    const byKey = new Map(found.map((row) => [textOf(row), row]));
    return keys.map((key) => byKey.get(textOf(key)));
  }, limits);
  return (key) => reads.submit(key, timeoutMs);
}
