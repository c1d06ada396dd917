/** column → its type in SQL */
type Columns = Readonly<Record<string, string>>;
/** parameter → its type in SQL, or its columns where it is a set of rows */
type Parameters = Readonly<Record<string, string | Columns>>;

type Value<P extends string | Columns> = P extends string
  ? unknown
  : readonly { readonly [C in keyof P]: unknown }[];

export interface NamedParameters<P extends Parameters> {
  /** How the text of a statement refers to each: a scalar as `$1::uuid`, rows as `unnest(…) as name (…)`. */
  readonly sql: { readonly [Name in keyof P]: string };
  /** The values of a statement, in the order of its numbers. */
  values(values: { readonly [Name in keyof P]: Value<P[Name]> }): unknown[];
}

/**
 * Names the parameters of a statement, so that neither its text nor its values have to count. A set of
 * rows is sent as one array per column. Values of type `jsonb` are written as JSON.
 */
export function namedParameters<const P extends Parameters>(parameters: P): NamedParameters<P> {
  let count = 0;
  const entries = Object.entries<string | Columns>(parameters).map(([name, type]) => {
    if (typeof type === 'string') return { name, text: `$${++count}::${type}` };
    const columns = Object.entries(type);
    const arrays = columns.map(([, columnType]) => `$${++count}::${columnType}[]`);
    const text = `unnest(${arrays.join(', ')}) as ${name} (${Object.keys(type).join(', ')})`;
    return { name, text, columns };
  });
  const written = (value: unknown, type: string) =>
    type === 'jsonb' ? JSON.stringify(value) : value;
  return {
    sql: Object.fromEntries(
      entries.map(({ name, text }) => [name, text]),
    ) as NamedParameters<P>['sql'],
    values: (values) =>
      entries.flatMap(({ name, columns }) => {
        const value = values[name];
        if (!columns) return [written(value, parameters[name] as string)];
        const rows = value as readonly Readonly<Record<string, unknown>>[];
        return columns.map(([column, type]) => rows.map((row) => written(row[column], type)));
      }),
  };
}
