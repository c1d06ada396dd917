import type { Reader } from '../databases/clients.js';
import type { SubgraphName } from '../subgraph-names.js';

export type OffendingRow = Readonly<Record<string, unknown>>;

export type Readers = Readonly<Record<SubgraphName, Reader>>;

/** A moment by the clock of one database. */
export interface Moment {
  /** RFC 3339, for a literal of SQL */
  readonly time: string;
  /** the lowest UUIDv7 of that time */
  readonly id: string;
}
export type Moments = Readonly<Record<SubgraphName, Moment>>;

export const momentAt = (ms: number): Moment => {
  const hex = ms.toString(16).padStart(12, '0');
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
  return { time: new Date(ms).toISOString(), id };
};

/** A time range of one database: up to now unless it has an end. */
export interface Period {
  readonly since: Moment;
  readonly until?: Moment;
}

/** SQL for whether a UUIDv7 was made in the period. */
export const madeIn = ({ since, until }: Period, column: string) =>
  `${column} >= '${since.id}'${until ? ` and ${column} < '${until.id}'` : ''}`;

/** SQL for whether a time is in the period. */
export const setIn = ({ since, until }: Period, column: string) =>
  `${column} >= '${since.time}'${until ? ` and ${column} < '${until.time}'` : ''}`;

/** The rows that a check reads. */
export type Scope =
  | { readonly of: 'all' }
  | ChangedScope
  /** those that offended or were excused at an earlier look, by their keys */
  | { readonly of: 'rows'; readonly rows: readonly OffendingRow[] };

/** Rows that may have changed since, and before the end if there is one. */
export interface ChangedScope {
  readonly of: 'changed';
  readonly since: Moments;
  readonly until?: Moments;
}

export const periodOf = ({ since, until }: ChangedScope, database: SubgraphName): Period => ({
  since: since[database],
  ...(until && { until: until[database] }),
});

/** The result of checking an invariant. */
export interface Finding {
  /** number of checked rows */
  readonly rows: number;
  /** at most `suspectsMax` */
  readonly offending: readonly OffendingRow[];
  /** Rows that do not hold, which is no violation while work on them is in progress; at most `suspectsMax`. */
  readonly excused: readonly OffendingRow[];
}

/** A rule of the domain. */
export interface Invariant {
  readonly name: string;
  /** the columns that identify a row */
  readonly key: readonly string[];
  /** Whether rows are excused while work on them is in progress. */
  readonly excuses: boolean;
  /** @param atRest whether nothing is in progress: then no row is excused */
  check(readers: Readers, scope: Scope, atRest: boolean): Promise<Finding>;
}

/** Rows that one look may find. */
export const suspectsMax = 5000;

export interface InvariantQuery {
  /** The columns that identify a row, and their types. */
  readonly key: Readonly<Record<string, string>>;
  /** SQL for the keys of rows that may have changed in a period, each found by an index. */
  readonly changed?: (period: Period) => string;
  /** Instead of `changed`: a condition on the row itself, which an index serves. */
  readonly changedWhere?: (period: Period) => string;
  /** CTEs. @param only makes the condition that limits a table to the rows of a scope */
  readonly with?: (only: Only) => string;
  /** The rows to check; the result has the columns of the key. */
  readonly select: (only: Only) => string;
  /** Instead of `select`, where all rows are checked. */
  readonly selectAll?: string;
  /** The condition for each row. */
  readonly holds: string;
  /** Rows that need not hold yet, because work on them is in progress. */
  readonly inProgress?: string;
}
/** @param columns those of the key, in its order, as the statement names them */
export type Only = (columns: string) => string;

/** An invariant of one database, checked in one statement and therefore in one snapshot. */
export function invariantOf(
  database: SubgraphName,
  name: string,
  query: InvariantQuery,
): Invariant & { statement(scope: Scope, atRest: boolean): string } {
  const statement = (scope: Scope, atRest: boolean) => statementOf(database, query, scope, atRest);
  return {
    name,
    key: Object.keys(query.key),
    excuses: query.inProgress !== undefined,
    statement,
    async check(readers, scope, atRest) {
      const values = scope.of === 'rows' ? [JSON.stringify(scope.rows)] : [];
      const { rows } = await readers[database].query<Finding>(statement(scope, atRest), values);
      return rows[0] as Finding;
    },
  };
}

function statementOf(
  database: SubgraphName,
  query: InvariantQuery,
  scope: Scope,
  atRest: boolean,
): string {
  const names = Object.keys(query.key).join(', ');
  const types = Object.entries(query.key).map((column) => column.join(' '));
  const inChosen: Only = (columns) => `(${columns}) in (select ${names} from chosen)`;
  const { chosen, only } = {
    all: () => ({ chosen: '', only: () => 'true' }),
    changed: () => {
      const period = periodOf(scope as ChangedScope, database);
      if (!query.changed) return { chosen: '', only: () => query.changedWhere?.(period) ?? 'true' };
      return { chosen: query.changed(period), only: inChosen };
    },
    rows: () => ({
      chosen: `select ${names} from jsonb_to_recordset($1) as suspect (${types.join(', ')})`,
      only: inChosen,
    }),
  }[scope.of]();
  const ctes = [
    ...(chosen ? [`chosen as materialized (${chosen})`] : []),
    ...(query.with ? [query.with(only)] : []),
    `checked as (${(scope.of === 'all' && query.selectAll) || query.select(only)})`,
  ];
  const excused = query.inProgress && !atRest ? `coalesce(${query.inProgress}, false)` : 'false';
  const rowsWhere = (columns: string, condition: string) => `coalesce((
      select jsonb_agg(to_jsonb(bad)) from (select ${columns} from checked
        where not coalesce(${query.holds}, false) and ${condition} limit ${suspectsMax}) bad), '[]')`;
  return `
    with ${ctes.join(', ')}
    select (select count(*) from checked)::int as "rows",
      ${rowsWhere('*', `not ${excused}`)} as offending,
      ${rowsWhere(names, excused)} as excused`;
}
