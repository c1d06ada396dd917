import type { ServiceClient } from '../../shared/service-client.js';

/** An offer as the shop subgraph has it at this moment. */
export interface OfferForSale {
  readonly id: string;
  readonly shopId: string;
  readonly sku: string;
  readonly name: string;
  readonly priceAmount: string;
  readonly currencyCode: string;
  readonly purchaseLimit: number | null;
  readonly active: boolean;
}

const timeoutMs = 4000;

/** @returns the offers that exist and are active, by id */
export async function readOffers(shop: ServiceClient, ids: string[]) {
  const { offersForSale } = await shop.call<{ offersForSale: OfferForSale[] }>(
    `query ($ids: [UUID!]!) {
       offersForSale(ids: $ids) {
         id shopId sku name priceAmount currencyCode purchaseLimit active
       }
     }`,
    { ids },
    { timeoutMs, repeatable: true },
  );
  return new Map(offersForSale.filter(({ active }) => active).map((offer) => [offer.id, offer]));
}
