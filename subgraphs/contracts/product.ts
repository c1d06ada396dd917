import { z } from 'zod';
import type { Call } from './call.js';

/** Variants of a product. */
export const variantsMax = 100;

interface VariantKey {
  readonly __typename: 'ProductVariant';
  readonly sku: string;
}
export const variantKey = (sku: string): VariantKey => ({ __typename: 'ProductVariant', sku });

interface VariantNames {
  readonly name: string;
  readonly product: { readonly name: string };
}

/** The variants of these skus and their products, in order; null for one that is not sold. */
export const variantNames: Call<{ readonly of: readonly VariantKey[] }, (VariantNames | null)[]> = {
  field: '_entities',
  query: `query ($of: [_Any!]!) {
    _entities(representations: $of) { ... on ProductVariant { name product { name } } }
  }`,
  answer: z.array(
    z.object({ name: z.string(), product: z.object({ name: z.string() }) }).nullable(),
  ),
};

/** Which of these skus are variants, in order; null for one that is not sold. */
export const knownVariants: Call<{ readonly of: readonly VariantKey[] }, (object | null)[]> = {
  field: '_entities',
  query: `query ($of: [_Any!]!) {
    _entities(representations: $of) { ... on ProductVariant { name } }
  }`,
  answer: z.array(z.object({}).nullable()),
};
