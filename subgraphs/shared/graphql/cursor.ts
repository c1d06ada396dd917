import type { ZodType } from 'zod';
import { badInput } from '../errors.js';

/**
 * The format of all cursors: base64url of a JSON array, the version of the format and then the values
 * by which a row has its place in its list.
 */
const version = 1;

export const cursorOf = (place: readonly unknown[]): string =>
  Buffer.from(JSON.stringify([version, ...place])).toString('base64url');

/**
 * @param shape what the values of a place in this list are
 * @returns the place after which a page begins; null for the beginning
 * @throws `BAD_USER_INPUT` for a cursor that is not of this list
 */
export function readCursor<P>(after: string | null | undefined, shape: ZodType<P>): P | null {
  if (after === null || after === undefined) return null;
  const [found, ...place] = parse(after);
  const { data } = shape.safeParse(place);
  if (found !== version || data === undefined) {
    throw badInput({ after: 'is not a cursor of this list' });
  }
  return data;
}

function parse(after: string): unknown[] {
  try {
    const values: unknown = JSON.parse(Buffer.from(after, 'base64url').toString('utf8'));
    return Array.isArray(values) ? values : [];
  } catch {
    return [];
  }
}
