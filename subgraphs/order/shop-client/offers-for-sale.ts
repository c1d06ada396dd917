import { type OfferForSale, offersForSale } from '../../contracts/shop.js';
import { Coalescer } from '../../shared/batching/coalescer.js';
import type { ServiceClient } from '../../shared/http/service-client.js';

export type ReadOffer = OfferForSale & {
  /** the monotonic clock of this process before it was read: it was decided later */
  readonly readAtMs: number;
};

/** @returns the offers that exist and are active, by id. @throws `TRY_AGAIN` */
export type ReadOffers = (ids: readonly string[]) => Promise<Map<string, ReadOffer>>;

const timeoutMs = 4000;

/** Reads offers of the shop subgraph; concurrent reads share one query. */
export function createOfferReader(shop: ServiceClient): ReadOffers {
  const reads = new Coalescer<readonly string[], Map<string, ReadOffer>>(async (requests) => {
    const readAtMs = performance.now();
    const ids = [...new Set(requests.flat())];
    const found = await shop.call(offersForSale, { ids }, { timeoutMs, repeatable: true });
    const offers = new Map(found.map((offer) => [offer.id, { ...offer, readAtMs }]));
    return requests.map((ids) => forSale(ids, offers));
  });
  return (ids) => reads.submit(ids, timeoutMs);
}

function forSale(ids: readonly string[], offers: ReadonlyMap<string, ReadOffer>) {
  const found = ids.flatMap((id) => offers.get(id) ?? []);
  return new Map(found.filter(({ active }) => active).map((offer) => [offer.id, offer]));
}
