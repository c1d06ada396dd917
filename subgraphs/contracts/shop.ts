import { z } from 'zod';
import { type Call, listOf } from './call.js';

/** An offer as the shop subgraph has it at this moment. */
export interface OfferForSale {
  readonly id: string;
  readonly shopId: string;
  readonly sku: string;
  readonly name: string;
  /** a decimal number */
  readonly priceAmount: string;
  readonly currencyCode: string;
  /** null: any number of units */
  readonly purchaseLimit: number | null;
  readonly active: boolean;
}

function isOfferForSale(value: unknown): value is OfferForSale {
  const offer = value as OfferForSale | null;
  return (
    typeof offer?.id === 'string' &&
    typeof offer.shopId === 'string' &&
    typeof offer.sku === 'string' &&
    typeof offer.name === 'string' &&
    typeof offer.priceAmount === 'string' &&
    typeof offer.currencyCode === 'string' &&
    (offer.purchaseLimit === null || typeof offer.purchaseLimit === 'number') &&
    typeof offer.active === 'boolean'
  );
}

/** Offers as they are now; unknown ids are left out. */
export const offersForSale: Call<{ readonly ids: readonly string[] }, OfferForSale[]> = {
  field: 'offersForSale',
  query: `query ($ids: [UUID!]!) {
    offersForSale(ids: $ids) { id shopId sku name priceAmount currencyCode purchaseLimit active }
  }`,
  answer: listOf(isOfferForSale),
};

export interface ShopOwner {
  readonly shopId: string;
  readonly ownerId: string;
}

/** Who owns these shops; unknown ids are left out. */
export const shopOwners: Call<{ readonly ids: readonly string[] }, ShopOwner[]> = {
  field: 'shopOwners',
  query: 'query ($ids: [UUID!]!) { shopOwners(ids: $ids) { shopId ownerId } }',
  answer: z.array(z.object({ shopId: z.string(), ownerId: z.string() })),
};

/** The ids of the shops that a user owns. */
export const shopsOfOwner: Call<{ readonly ownerId: string }, string[]> = {
  field: 'shopsOfOwner',
  query: 'query ($ownerId: UUID!) { shopsOfOwner(ownerId: $ownerId) }',
  answer: z.array(z.string()),
};
