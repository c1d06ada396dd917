import { z } from 'zod';
import type { Call } from './call.js';

/** The parts of an address that an order needs. */
export const requiredParts = ['recipient', 'street', 'city', 'zip', 'country'] as const;
/** The parts that an order has if the address does. */
export const optionalParts = ['state', 'phone'] as const;

const allParts = [...requiredParts, ...optionalParts];
type Part = (typeof allParts)[number];

/** Any part may be missing. A phone number is in E.164. */
export type SavedAddress = Readonly<Record<Part, string | null>>;

const part = z.string().nullable();

/** An address of a user; null where the user has none of that id. */
export const addressOf: Call<
  { readonly userId: string; readonly id: string },
  SavedAddress | null
> = {
  field: 'addressOf',
  query: `query ($userId: UUID!, $id: UUID!) {
    addressOf(userId: $userId, id: $id) { ${allParts.join(' ')} }
  }`,
  answer: z
    .object(Object.fromEntries(allParts.map((name) => [name, part])) as Record<Part, typeof part>)
    .nullable(),
};

/** What a sale may ask of a buyer. */
export interface Buyer {
  /** ISO 8601 */
  readonly createdAt: string;
  /** in E.164; null: none, or it is not verified */
  readonly provenPhone: string | null;
}

/** A user as a buyer, read at the primary; null for one that does not exist. */
export const buyerOf: Call<{ readonly userId: string }, Buyer | null> = {
  field: 'buyerOf',
  query: 'query ($userId: UUID!) { buyerOf(userId: $userId) { createdAt provenPhone } }',
  answer: z.object({ createdAt: z.string(), provenPhone: z.string().nullable() }).nullable(),
};
