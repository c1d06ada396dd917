/**
 * The type of a parameter of a column. Without the length of the column: a cast to varchar(n) would cut a text
 * that is too long, where the column rejects it.
 */
export const parameterType = (columnType: string): string => columnType.replace(/\(.*\)/, '');

/** A parameter with the values of a column of several rows, for `unnest`. */
export const arrayParameter = (columnType: string, index: number): string =>
  `$${index + 1}::${parameterType(columnType)}[]`;

/** A value of a column, as the driver takes it. */
export function arrayValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
