/** A table of counters of units. */
export interface Counters {
  readonly table: string;
  /** columns of its primary key; rows are locked in their order */
  readonly key: readonly string[];
}

const columnsOf = (row: string, { key }: Counters) =>
  key.map((column) => `${row}.${column}`).join(', ');
const isSame = (row: string, other: string, { key }: Counters) =>
  key.map((column) => `${row}.${column} = ${other}.${column}`).join(' and ');

/**
 * A CTE, `locked_TABLE`, that locks counters, with their values under the locks.
 *
 * @param of a CTE with the columns of the key, each key once
 * @param after a CTE whose rows are locked first
 * @param values the columns of the values
 */
export const lockedCounters = (
  counters: Counters,
  of: string,
  after: string,
  values: readonly string[] = ['units'],
): string => `locked_${counters.table} as materialized (
    select ${columnsOf('c', counters)}, ${values.map((column) => `c.${column}`).join(', ')}
    from ${counters.table} c join ${of} using (${counters.key.join(', ')})
    where (select count(*) from ${after}) >= 0
    order by ${columnsOf('c', counters)} for update of c
  )`;

/**
 * CTEs that add units to the counters of `lockedCounters`, or to new ones.
 *
 * @param by a CTE with the columns of the key, each key once, and `quantity`
 */
export const raisedCounters = (counters: Counters, by: string): string => {
  const { table, key } = counters;
  const columns = key.join(', ');
  return `raised_${table} as (
    update ${table} c set units = l.units + n.quantity, updated_at = now()
    from ${by} n join locked_${table} l using (${columns}) where ${isSame('c', 'l', counters)}
  ), new_${table} as (
    insert into ${table} (${columns}, units)
    select ${columns}, quantity from ${by}
    where (${columns}) not in (select ${columns} from locked_${table}) order by ${columns}
  )`;
};

interface Lowering {
  /** SQL for the new values, never below 0, of a counter `c` and a row `e` of the query */
  readonly values: Readonly<Record<string, string>>;
  /** a query with the columns of the key, each key once */
  readonly by: string;
}

/**
 * CTEs that lower counters, and delete those that count nothing any more. `locked_TABLE` locks them and has their new
 * values: what is deleted depends on the values under the locks, which a concurrent statement may have changed since
 * this one began.
 */
export function loweredCounters(counters: Counters, { values, by }: Lowering): string {
  const { table, key } = counters;
  const ofCounter = columnsOf('c', counters);
  const isLocked = isSame('c', 'l', counters);
  const columns = Object.keys(values);
  const total = columns.map((column) => `l.${column}`).join(' + ');
  return `locked_${table} as materialized (
    select ${ofCounter}, ${columns.map((column) => `${values[column]} as ${column}`).join(', ')}
    from (${by}) e join ${table} c using (${key.join(', ')})
    order by ${ofCounter} for update of c
  ), lowered_${table} as (
    update ${table} c set ${columns.map((column) => `${column} = l.${column}`).join(', ')}, updated_at = now()
    from locked_${table} l where ${isLocked} and ${total} > 0
  ), deleted_${table} as (
    delete from ${table} c using locked_${table} l where ${isLocked} and ${total} = 0
  )`;
}
