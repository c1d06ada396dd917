import type { EntityManager } from '@mikro-orm/postgresql';
import { event } from '../../contracts/events.js';
import { sql } from '../../shared/database/sql.js';
import { enqueue } from '../../shared/messaging/outbox.js';
import { isOpenSql, isoSql } from '../sale-window/sale-sql.js';
import type { OfferRow } from './read-offers.js';

/** Enqueues the current state of offers for the product subgraph. They must be locked. */
export async function enqueueOfferChanged(
  tx: EntityManager,
  offers: readonly OfferRow[],
): Promise<void> {
  const sales = await readSales(tx, offers);
  return enqueue(
    tx,
    offers.map(
      ({ id: offerId, shopId, sku, priceAmount: price, currencyCode, active, version }) => {
        const sale = sales.get(offerId) ?? null;
        const payload = { offerId, shopId, sku, price, currencyCode, active, sale };
        return event('shop.offer.changed', payload, version);
      },
    ),
  );
}

interface Sale {
  readonly offerId: string;
  readonly id: string;
  readonly price: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly paused: boolean;
}

/** The sales of offers, by offer. */
async function readSales(tx: EntityManager, offers: readonly OfferRow[]) {
  const ids = offers.filter(({ saleId }) => saleId !== null).map(({ id }) => id);
  if (ids.length === 0) return new Map<string, never>();
  const rows = await sql<Sale>(
    tx,
    `select o.id as "offerId", e.id, s.price_amount as price,
       ${isoSql('e.starts_at')} as "startsAt", ${isoSql('e.ends_at')} as "endsAt",
       e.status = 'PAUSED' as paused
     from offer o join sale_event e on e.id = o.sale_id
       join sale_offer s on s.sale_id = e.id and s.offer_id = o.id
     where o.id = any($1::uuid[]) and ${isOpenSql('e')}`,
    [ids],
  );
  return new Map(rows.map(({ offerId, ...sale }) => [offerId, sale]));
}
