import type { EntityManager } from '@mikro-orm/postgresql';
import { enqueue } from '../../shared/messaging/outbox.js';
import type { OfferRow } from './read-offers.js';

/** Enqueues the current state of offers for the product subgraph. */
export function enqueueOfferChanged(tx: EntityManager, offers: readonly OfferRow[]): Promise<void> {
  return enqueue(
    tx,
    offers.map((offer) => ({
      consumer: 'product',
      topic: 'offer.changed',
      key: offer.id,
      version: offer.version,
      payload: {
        offerId: offer.id,
        shopId: offer.shopId,
        sku: offer.sku,
        price: offer.priceAmount,
        currencyCode: offer.currencyCode,
        active: offer.active,
      },
    })),
  );
}
