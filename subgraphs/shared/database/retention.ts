import type { EntityClass } from '@mikro-orm/core';

/** How long the rows of a table are kept: stated beside its entity with `Retained`. */
export type Retention =
  /** the reason why no pruner deletes them */
  | { readonly permanently: string }
  /** the table whose rows own them: a row is deleted together with its owner */
  | { readonly withOwner: string }
  /** the variable with the number of months after which a partition leaves the application, as an archive */
  | { readonly detachedAfter: 'LEDGER_MONTHS' | 'ORDER_HISTORY_MONTHS' }
  | KeptFor;

/** Rows that the pruner of their subgraph deletes (`prune.ts`). */
export interface KeptFor {
  /** an interval of PostgreSQL */
  readonly keptFor: string;
  /** the column with the time from which it counts; a row in which it is null is kept */
  readonly since: string;
  /** SQL for the rows that are meant; all by default */
  readonly where?: string;
  /** the index that finds the rows by `since` */
  readonly index: string;
  readonly owned?: OwnedRows;
}

/** Rows of other tables that are deleted first, in the same transaction. */
export interface OwnedRows {
  /** the columns of the owner’s primary key, each a `uuid` */
  readonly by: readonly string[];
  /** in order; the owners are the rows of `owner`, with the columns of `by` */
  readonly deletions: readonly OwnedDeletion[];
  /** how many owners are deleted at once */
  readonly ownersMax: number;
}

/**
 * SQL. With a number of rows that it deletes at most: while it deletes as many, the owners stay. Or, for a table that
 * is partitioned by a UUIDv7, with an id that is lower than that of each row: so older partitions are not planned.
 */
export type OwnedDeletion =
  | string
  | { readonly sql: string; readonly atMost: number }
  | ((lowestId: string) => string);

const retentions = new WeakMap<object, readonly Retention[]>();

/** States the retention of an entity's table. With several, a row is deleted by the first that it falls under. */
export const Retained =
  (...stated: readonly Retention[]): ClassDecorator =>
  (entity) =>
    void retentions.set(entity, stated);

/** @returns an empty list for an entity that states none, which a test refuses */
export const retentionsOf = (entity: EntityClass<unknown>): readonly Retention[] =>
  retentions.get(entity) ?? [];

export const isKeptFor = (retention: Retention): retention is KeptFor => 'keptFor' in retention;
