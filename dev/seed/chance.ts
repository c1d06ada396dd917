/**
 * A pseudo-random integer of at least 0 and less than `below`, the same for the same `topic` and `n` on
 * every machine.
 *
 * @param topic what is decided; decisions on different topics are independent
 */
export function chance(below: number, topic: string, n: number): number {
  let hash = Math.imul(n + 1, 0x9e3779b1);
  for (let at = 0; at < topic.length; at++) {
    hash = Math.imul(hash ^ topic.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % below;
}

/** A pseudo-random element of a list. */
export const oneOf = <T>(list: readonly T[], topic: string, n: number): T =>
  list[chance(list.length, topic, n)] as T;
