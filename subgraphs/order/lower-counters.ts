interface LoweredCounters {
  readonly table: string;
  /** columns of its primary key; rows are locked in their order */
  readonly key: readonly string[];
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
export function lowerCountersCtes({ table, key, values, by }: LoweredCounters): string {
  const ofCounter = key.map((column) => `c.${column}`).join(', ');
  const isLocked = key.map((column) => `c.${column} = l.${column}`).join(' and ');
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
