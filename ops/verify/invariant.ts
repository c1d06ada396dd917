import type { Databases } from '../databases/clients.js';
import type { SubgraphName } from '../subgraph-names.js';

export type OffendingRow = Readonly<Record<string, unknown>>;

/** What a look at an invariant found. */
export interface Finding {
  /** how many rows it looked at */
  readonly rows: number;
  readonly offending: readonly OffendingRow[];
}

/** One of the rules of the domain that are true at every commit, or once the system is quiet. */
export interface Invariant {
  readonly name: string;
  /** true where it spans databases, and so holds only when nothing is on its way between them */
  readonly onceQuiet: boolean;
  look(databases: Databases): Promise<Finding>;
}

export const offendingMax = 20;

/**
 * An invariant of one database, in one statement and so of one moment.
 *
 * @param query `select`: the rows it is about; `holds`: what must be true of each
 */
export function invariantOf(
  database: SubgraphName,
  name: string,
  query: { with?: string; select: string; holds: string },
): Invariant {
  const statement = `
    with ${query.with ? `${query.with},` : ''} looked as (${query.select})
    select (select count(*) from looked)::int as "rows",
      coalesce((select jsonb_agg(to_jsonb(bad)) from
        (select * from looked where not coalesce(${query.holds}, false) limit ${offendingMax}) bad
      ), '[]') as offending`;
  return {
    name,
    onceQuiet: false,
    async look(databases) {
      const { rows } = await databases[database].query<Finding>(statement);
      return rows[0] as Finding;
    },
  };
}
