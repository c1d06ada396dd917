/** Values of variables, as the client gave them. */
export type Variables = Readonly<Record<string, unknown>>;

/** Response keys and positions in lists. */
export type ResponsePath = (string | number)[];

/** Data of a response, as parsed from JSON. */
export type JsonObject = { [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A property that the response has: clients may choose `__proto__` or `toString` as a response key. */
export const ownValue = (object: JsonObject, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** Sets a property, also one named `__proto__`. */
export function setOwn(target: JsonObject, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else
    Object.defineProperty(target, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}
