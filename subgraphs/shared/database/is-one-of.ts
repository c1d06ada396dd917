/**
 * The expression of a CHECK that allows only some values in a column. They are words of this code, so
 * nothing is escaped.
 */
export const isOneOf = (column: string, values: readonly string[]): string =>
  `${column} in (${values.map((value) => `'${value}'`).join(', ')})`;
