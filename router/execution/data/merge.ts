import { isObject, type JsonObject, ownValue, setOwn } from '../../json-objects.js';

/**
 * Merges the fields of a response into an object that no other place holds, which may then contain parts of the
 * response. A null in the response removes nothing.
 */
export function mergeInto(target: JsonObject, source: JsonObject): void {
  for (const key of Object.keys(source)) {
    const value = source[key];
    const known = ownValue(target, key);
    if (known === undefined || known === null) setOwn(target, key, value);
    else if (value !== null && value !== undefined) mergeValue(target, key, known, value);
  }
}

function mergeValue(
  target: JsonObject | unknown[],
  key: string | number,
  known: unknown,
  value: unknown,
): void {
  if (isObject(known) && isObject(value)) {
    mergeInto(known, value);
  } else if (Array.isArray(known) && Array.isArray(value) && known.length === value.length) {
    for (let at = 0; at < value.length; at++) {
      if (known[at] === null) known[at] = value[at];
      else if (value[at] !== null) mergeValue(known, at, known[at], value[at]);
    }
  } else {
    (target as JsonObject)[key] = value;
  }
}
