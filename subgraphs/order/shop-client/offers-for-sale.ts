import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

/** An offer with its current name, price and limit at the shop subgraph. */
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

/** @returns the offers that exist and are active, by id. @throws `TRY_AGAIN` */
export type ReadOffers = (ids: readonly string[]) => Promise<Map<string, OfferForSale>>;

const timeoutMs = 4000;

/** Reads offers of the shop subgraph; concurrent reads share one query. */
export function createOfferReader(shop: ServiceClient): ReadOffers {
  const reads = new Coalescer<readonly string[], Map<string, OfferForSale>>(async (requests) => {
    const { offersForSale } = await shop.call<{ offersForSale: OfferForSale[] }>(
      `query ($ids: [UUID!]!) {
         offersForSale(ids: $ids) {
           id shopId sku name priceAmount currencyCode purchaseLimit active
         }
       }`,
      { ids: [...new Set(requests.flat())] },
      { timeoutMs, repeatable: true },
    );
    const offers = new Map(offersForSale.map((offer) => [offer.id, offer]));
    return requests.map((ids) => forSale(ids, offers));
  });
  return (ids) => reads.submit(ids, timeoutMs);
}

function forSale(ids: readonly string[], offers: ReadonlyMap<string, OfferForSale>) {
  const found = ids.flatMap((id) => offers.get(id) ?? []);
  return new Map(found.filter(({ active }) => active).map((offer) => [offer.id, offer]));
}
