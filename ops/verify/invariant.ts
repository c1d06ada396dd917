import type { Databases } from '../databases/clients.js';
import type { SubgraphName } from '../subgraph-names.js';

export type OffendingRow = Readonly<Record<string, unknown>>;

/** The result of checking an invariant. */
export interface Finding {
  /** number of checked rows */
  readonly rows: number;
  readonly offending: readonly OffendingRow[];
}

/** A rule of the domain that holds at every commit, or once the system is idle. */
export interface Invariant {
  readonly name: string;
  /** true if it spans databases or waits for workers, and holds once nothing is in progress */
  readonly whenIdle: boolean;
  check(databases: Databases): Promise<Finding>;
}

export const offendingMax = 20;

/**
 * An invariant of one database, checked in one statement and therefore in one snapshot.
 *
 * @param query `select`: the rows to check; `holds`: the condition for each
 */
export function invariantOf(
  database: SubgraphName,
  name: string,
  query: { with?: string; select: string; holds: string },
): Invariant {
  const statement = `
    with ${query.with ? `${query.with},` : ''} checked as (${query.select})
    select (select count(*) from checked)::int as "rows",
      coalesce((select jsonb_agg(to_jsonb(bad)) from
        (select * from checked where not coalesce(${query.holds}, false) limit ${offendingMax}) bad
      ), '[]') as offending`;
  return {
    name,
    whenIdle: false,
    async check(databases) {
      const { rows } = await databases[database].query<Finding>(statement);
      return rows[0] as Finding;
    },
  };
}
