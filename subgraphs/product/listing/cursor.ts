import { z } from 'zod';
import { readCursor } from '../../shared/graphql/cursor.js';
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

/** The values of a cursor of a list in this order. */
export const placeIn =
  (sort: ProductSort) =>
  ({ value, id }: Place) =>
    [sort, value, id] as const;

/** @throws `BAD_USER_INPUT` for a cursor of another list, or of another sort */
export function readPlace(sort: ProductSort, after: string | null | undefined): Place | null {
  const shape = z.tuple([z.literal(sort), values[sort], z.guid()]);
  const place = readCursor(after, shape);
  return place && { value: place[1], id: place[2] };
}
