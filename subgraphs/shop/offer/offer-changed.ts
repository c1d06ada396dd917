import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../contracts/events.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import type { OfferRow } from './read-offers.js';

/** Enqueues the current state of offers for the product subgraph. */
export function enqueueOfferChanged(tx: EntityManager, offers: readonly OfferRow[]): Promise<void> {
  return enqueue(
    tx,
    offers.map(({ id: offerId, shopId, sku, priceAmount: price, currencyCode, active, version }) =>
      event('shop.offer.changed', { offerId, shopId, sku, price, currencyCode, active }, version),
    ),
  );
}
