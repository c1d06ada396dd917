/**
 * The type of a parameter of a column. Without the length of the column: a cast to varchar(n) would cut a text
 * that is too long, where the column rejects it.
 */
export const parameterType = (columnType: string): string => columnType.replace(/\(.*\)/, '');

/** A value of a column, as the driver takes it. */
export function arrayValue(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
}
