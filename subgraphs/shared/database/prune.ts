import type { EntityClass } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { lowestIdAt } from '../ids.js';
import type { Logger } from '../observability/logger.js';
import {
  isKeptFor,
  type KeptFor,
  type OwnedDeletion,
  type OwnedRows,
  retentionsOf,
} from './retention.js';
import { sql, sqlCount } from './sql.js';
import { transact } from './transact.js';

/** A table, and one of the rules by which its rows are deleted. */
export interface Prunable extends KeptFor {
  readonly table: string;
  /** the columns of the primary key */
  readonly key: readonly string[];
}

/** What these entities state that a pruner has to delete. */
export function prunablesOf(
  em: EntityManager,
  entities: ReadonlyArray<EntityClass<unknown>>,
): Prunable[] {
  return entities.flatMap((entity) => {
    const { tableName: table, props } = em.getMetadata().get(entity);
    const key = props.filter(({ primary }) => primary).flatMap(({ fieldNames }) => fieldNames);
    return retentionsOf(entity)
      .filter(isKeptFor)
      .map((rule) => ({ ...rule, table, key }));
  });
}

/** SQL for a row that is kept no longer. */
export const outdatedSql = ({ keptFor, since, where }: KeptFor) =>
  `${since} < now() - interval '${keptFor}'${where ? ` and ${where}` : ''}`;

// The ids of rows are made by other clocks than the times of their owners.
const clockSkewMs = 24 * 3_600_000;
// Less than 0.2 s of deleting, so that no lock is held for long.
const batchMax = 5000;

/** SQL for a batch of outdated rows that nobody has locked: the longest outdated first, from `$1` on, at most `$2`. */
export const batchSql = (rule: Prunable, columns: readonly string[]) =>
  `select ${columns.join(', ')} from ${rule.table}
   where ${outdatedSql(rule)} and ${rule.since} >= $1
   order by ${rule.since} limit $2 for update skip locked`;

/** How far a rule has deleted: dead rows before it, which a long transaction keeps, are not read again. */
export interface Progress {
  from: string;
  scannedAtMs: number;
}

/** Rows that were locked when their time came are found by a scan from the beginning, at this interval. */
const scanEveryMs = 300_000;

export const noProgress = (): Progress => ({ from: '-infinity', scannedAtMs: performance.now() });

/** @returns where to begin: at the beginning again, if that was long ago */
export function startOf(progress: Progress): string {
  if (performance.now() - progress.scannedAtMs > scanEveryMs) Object.assign(progress, noProgress());
  return progress.from;
}

interface Batch {
  readonly rows: number;
  /** whether there may be more */
  readonly isFull: boolean;
}

/** Deletes one batch in a transaction of its own; rows that somebody has locked are left for later. */
export async function pruneBatch(
  em: EntityManager,
  rule: Prunable,
  progress: Progress,
): Promise<Batch> {
  if (rule.owned) return pruneOwners(em, rule, rule.owned, progress);
  const { table, key, since } = rule;
  const [deleted] = await sql<{ rows: number; last: string | null }>(
    em.fork(),
    `with outdated as materialized (${batchSql(rule, key)}), deleted as (
       delete from ${table} t using outdated o where ${key.map((k) => `t.${k} = o.${k}`).join(' and ')}
       returning t.${since} as since)
     select count(*)::int as rows, max(since)::text as last from deleted`,
    [startOf(progress), batchMax],
  );
  const { rows = 0, last = null } = deleted ?? {};
  progress.from = last ?? progress.from;
  return { rows, isFull: rows === batchMax };
}

/**
 * A deletion with the rows of `owner`: `$1`, … are the values of the columns of `by`.
 *
 * @param lowestId lower than the ids of all rows of a partitioned table
 */
export const ownedSql = (
  by: readonly string[],
  deletion: OwnedDeletion,
  lowestId = lowestIdAt(0),
) => `with owner (${by.join(', ')}) as (
     select * from unnest(${by.map((_, n) => `$${n + 1}::uuid[]`).join(', ')}))
   ${deletionSql(deletion, lowestId)}`;

function deletionSql(deletion: OwnedDeletion, lowestId: string): string {
  if (typeof deletion === 'function') return deletion(lowestId);
  return typeof deletion === 'string' ? deletion : deletion.sql;
}

export const deleteOwnersSql = (table: string, by: readonly string[]) =>
  `delete from ${table} t using owner o
   where ${by.map((column) => `t.${column} = o.${column}`).join(' and ')}`;

const pruneOwners = (em: EntityManager, rule: Prunable, owned: OwnedRows, progress: Progress) =>
  transact(em, async (tx): Promise<Batch> => {
    const { table, since } = rule;
    const { by, deletions, ownersMax } = owned;
    const columns = [...by, `${since}::text as since`];
    const found = await sql<Record<string, string>>(tx, batchSql(rule, columns), [
      startOf(progress),
      ownersMax,
    ]);
    if (found.length === 0) return { rows: 0, isFull: false };
    const values = by.map((column) => found.map((row) => row[column]));
    const lowestId = lowestIdAt(Date.parse(found[0]?.since as string) - clockSkewMs);
    for (const deletion of deletions) {
      const rows = await sqlCount(tx, ownedSql(by, deletion, lowestId), values);
      if (typeof deletion === 'object' && rows === deletion.atMost)
        return { rows: 0, isFull: true };
    }
    const rows = await sqlCount(tx, ownedSql(by, deleteOwnersSql(table, by)), values);
    progress.from = found.at(-1)?.since ?? progress.from;
    return { rows, isFull: rows === ownersMax };
  });

export interface PruneOptions {
  readonly isStopping?: () => boolean;
  /** by rule; of a run alone by default */
  readonly progress?: ReadonlyMap<Prunable, Progress>;
  onDeleted?(rule: Prunable, rows: number): void;
}

/**
 * Deletes outdated rows until none is left, in batches with a commit each. The tables take turns, so that
 * none waits for the backlog of another.
 *
 * @returns how many rows it deleted, without those that they own
 */
export async function prune(
  em: EntityManager,
  rules: readonly Prunable[],
  logger: Logger,
  { isStopping = () => false, progress, onDeleted }: PruneOptions = {},
): Promise<number> {
  const startedAt = performance.now();
  const runs = rules.map((rule) => ({
    rule,
    rows: 0,
    progress: progress?.get(rule) ?? noProgress(),
  }));
  const errors: unknown[] = [];
  for (let left = runs; left.length > 0; ) {
    const full: typeof left = [];
    for (const run of left) {
      if (isStopping()) break;
      try {
        const { rows, isFull } = await pruneBatch(em, run.rule, run.progress);
        run.rows += rows;
        if (rows > 0) onDeleted?.(run.rule, rows);
        if (isFull) full.push(run);
      } catch (error) {
        errors.push(error); // of this table: the others are pruned nevertheless
      }
    }
    left = full;
  }
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { rule, rows } of runs) {
    const fields = { table: rule.table, rows, rowsPerSecond: Math.round(rows / seconds) };
    if (rows > 0) logger[rows > batchMax ? 'info' : 'debug'](fields, 'outdated rows deleted');
  }
  if (errors.length > 0) throw errors[0];
  return runs.reduce((sum, { rows }) => sum + rows, 0);
}
