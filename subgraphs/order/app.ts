import type { Redis } from 'ioredis';
import { createClaims } from '../shared/idempotency/claim-key.js';
import { createShopOwners } from '../shared/rights/shop-owners.js';
import type { SubgraphParts } from '../shared/subgraph-definition.js';
import { type CheckoutApp, createCheckoutWrites } from './checkout/checkout-writes.js';
import { createShortSkus } from './checkout/short-skus.js';
import type { variables } from './config.js';
import { createOrderFeeds, type LiveApp, orderChannel } from './order/live/order-feeds.js';
import { onOrdersChanged } from './order/order-signals.js';
import { createPaymentWrites } from './payment/payment-writes.js';
import { budgeted } from './payment/provider/budgeted-provider.js';
import { chooseProvider, requireTimeToPay } from './payment/provider/choose-provider.js';
import { createLookUpSharing } from './payment/provider/share-look-ups.js';
import { createOfferReader } from './shop-client/offers-for-sale.js';
import { createReservations } from './warehouse-client/reservations.js';

type Parts = SubgraphParts<
  typeof variables,
  'user' | 'shop' | 'warehouse' | 'reserving' | 'ending',
  { readonly events: Redis; readonly hints: Redis }
>;

/** @throws ConfigError */
export function createApp(parts: Parts): CheckoutApp & LiveApp {
  const { config, orm, feedOrm, services, redis, registry, logger, onStop } = parts;
  const { user, shop, warehouse, reserving, ending } = services;
  requireTimeToPay(config);
  const requestsPerSecond = config.PAYMENT_REQUESTS_PER_SECOND;
  const provider = budgeted(chooseProvider(config), { requestsPerSecond, registry, logger });
  onStop(() => provider.close());
  const feeds = createOrderFeeds(feedOrm.em, redis.events, logger);
  onStop(() => feeds.stop());
  onOrdersChanged(orm, (orderIds) => {
    // The feeds catch up on a hint that is lost here.
    redis.hints.publish(orderChannel, orderIds.join()).catch(() => {});
  });
  return {
    orm,
    user,
    shop,
    readOffers: createOfferReader(shop),
    warehouse,
    owners: createShopOwners(shop),
    feeds,
    reservations: createReservations(reserving, ending),
    claimKey: createClaims(orm.em),
    writes: createCheckoutWrites(orm.em),
    shortSkus: createShortSkus(warehouse, logger),
    provider,
    paymentWrites: createPaymentWrites(orm.em, provider),
    shareLookUp: createLookUpSharing(),
    reserveForMs: Math.round(config.RESERVATION_MINUTES * 60_000),
    logger,
  };
}
