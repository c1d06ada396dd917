import { z } from 'zod';
import type { Call } from './call.js';

/** The parts of an address that an order needs. */
export const addressParts = ['street', 'city', 'zip', 'country'] as const;
export type AddressParts = Readonly<Record<(typeof addressParts)[number], string | null>>;

const part = z.string().nullable();

/** An address of a user; null where the user has none of that id. */
export const addressOf: Call<
  { readonly userId: string; readonly id: string },
  AddressParts | null
> = {
  field: 'addressOf',
  query: `query ($userId: UUID!, $id: UUID!) {
    addressOf(userId: $userId, id: $id) { ${addressParts.join(' ')} }
  }`,
  answer: z.object({ street: part, city: part, zip: part, country: part }).nullable(),
};
