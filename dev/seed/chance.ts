/**
 * A whole number from 0 up to, and not including, `below`; the same for the same `of` and `n` on
 * every machine, and without a pattern that shows.
 *
 * @param of what is being decided: one thing's choices do not depend on one another
 */
export function chance(below: number, of: string, n: number): number {
  let hash = Math.imul(n + 1, 0x9e3779b1);
  for (let at = 0; at < of.length; at++) {
    hash = Math.imul(hash ^ of.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % below;
}

/** One of a list. */
export const oneOf = <T>(list: readonly T[], of: string, n: number): T =>
  list[chance(list.length, of, n)] as T;
