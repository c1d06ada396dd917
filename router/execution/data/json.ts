/** Values of variables, as the client gave them. */
export type Variables = Readonly<Record<string, unknown>>;

/** Response keys and positions in lists. */
export type ResponsePath = (string | number)[];

/** Data of a response, as parsed from JSON. */
export type JsonObject = { [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
