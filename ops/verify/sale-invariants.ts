import { hasOffersSql } from '../../subgraphs/shop/sale-window/sale-sql.js';
import { type Invariant, invariantOf, madeIn } from './invariant.js';

/**
 * The row of an offer names the one sale that has it: two cannot have it. Each change of it, and of the sale’s offers,
 * has an event of the offer in its commit.
 */
export const saleInvariants: Invariant[] = [
  invariantOf('shop', 'an offer is in at most one published sale that has not ended', {
    key: { sale_id: 'uuid', offer_id: 'uuid' },
    changed: (period) => `select sale_id, offer_id from sale_offer where offer_id in (
      select key::uuid from outbox
      where topic = 'shop.offer.changed' and ${madeIn(period, 'id')})`,
    select: (only) => `select s.sale_id, s.offer_id, o.sale_id as named,
        s.price_amount, o.price_amount as regular
      from sale_offer s join sale_event e on e.id = s.sale_id join offer o on o.id = s.offer_id
      where ${hasOffersSql('e')} and ${only('s.sale_id, s.offer_id')}`,
    holds: 'named = sale_id and price_amount <= regular',
  }),
];
