import { z } from 'zod';
import { badInput } from '../../shared/errors.js';
import type { ProductSort } from './product-filter.js';

/** Where a product stands in a list: its value under the sort, and its id among equal ones. */
export interface Place {
  /** NEWEST: null; a sort by price: null behind all that have a price */
  readonly value: string | null;
  readonly id: string;
}

const number = z.string().regex(/^\d{1,10}(\.\d{1,20})?(e-\d{1,2})?$/);
const nameMax = 255;
// PostgreSQL keeps no NUL, and no half of a surrogate pair.
const name = z
  .string()
  .max(nameMax)
  .refine((text) => text.isWellFormed() && !text.includes('\0'));
const values = {
  NEWEST: z.null(),
  NAME: name,
  PRICE_ASC: number.nullable(),
  PRICE_DESC: number.nullable(),
  RELEVANCE: number,
} satisfies Record<ProductSort, z.ZodType<string | null>>;

export const cursorOf = (sort: ProductSort, { value, id }: Place): string =>
  Buffer.from(JSON.stringify([sort, value, id])).toString('base64url');

/** @throws `BAD_USER_INPUT` for a cursor that is none of ours, or one of another sort */
export function placeOf(sort: ProductSort, after: string | null | undefined): Place | null {
  if (after === null || after === undefined) return null;
  const shape = z.tuple([z.literal(sort), values[sort], z.guid()]);
  const { data } = shape.safeParse(parsed(after));
  if (!data) throw badInput({ after: 'is not a cursor of this list in this order' });
  return { value: data[1], id: data[2] };
}

function parsed(after: string): unknown {
  try {
    return JSON.parse(Buffer.from(after, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
