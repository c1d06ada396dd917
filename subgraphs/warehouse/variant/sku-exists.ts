import type { ServiceClient } from '../../shared/service-client.js';

const timeoutMs = 3000;

/** Asks the product subgraph whether a variant is there. @throws `TRY_AGAIN` */
export async function skuExists(product: ServiceClient, sku: string): Promise<boolean> {
  const { _entities } = await product.call<{ _entities: unknown[] }>(
    `query ($of: [_Any!]!) {
       _entities(representations: $of) { ... on ProductVariant { name } }
     }`,
    { of: [{ __typename: 'ProductVariant', sku }] },
    { timeoutMs, repeatable: true },
  );
  return Boolean(_entities[0]);
}
