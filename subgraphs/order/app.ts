import type { Redis } from 'ioredis';
import { readSigningKeys } from '../shared/auth/signing-keys.js';
import { createChallenge } from '../shared/challenge/challenge.js';
import { createClaimReleases, createClaims } from '../shared/idempotency/claim-key.js';
import { createShopOwners } from '../shared/rights/shop-owners.js';
import type { SubgraphParts } from '../shared/subgraph-definition.js';
import { type CheckoutApp, createCheckoutWrites } from './checkout/checkout-writes.js';
import { createShortSkus } from './checkout/short-skus.js';
import type { variables } from './config.js';
import { createOrderFeeds, type LiveApp, orderChannel } from './order/live/order-feeds.js';
import { onOrdersChanged } from './order/order-signals.js';
import { createBudgets } from './payment/provider/budgeted-provider.js';
import { createProviderChecks } from './payment/provider/check-providers.js';
import { chooseProviders, requireTimeToPay } from './payment/provider/choose-providers.js';
import { createPaymentFaults } from './payment/provider/payment-faults.js';
import { createLookUpSharing } from './payment/provider/share-look-ups.js';
import { createPaymentWrites } from './payment/state/payment-writes.js';
import { createSaleFeeds, type SaleLiveApp } from './sale/live/sale-feeds.js';
import { createSaleReads } from './sale/read-sales.js';
import { type CountingApp, createRefusalCounters } from './sale/report/count-refusals.js';
import { createBuyerHashes } from './sale-limit/sale-buyer.js';
import { createAdmission } from './sale-queue/admission/admit.js';
import { readQueues } from './sale-queue/admission/read-queues.js';
import { beaconOf } from './sale-queue/beacon/beacon-chain.js';
import type { JoinApp } from './sale-queue/join/join-app.js';
import { createQueueWrites } from './sale-queue/join/queue-writes.js';
import { createQueueReads } from './sale-queue/queue-reads.js';
import { createReceipts } from './sale-queue/receipts.js';
import { createQueueReader, type ShownQueueApp } from './sale-queue/sale-queue.resolver.js';
import { createOfferReader } from './shop-client/offers-for-sale.js';
import { createReservations } from './warehouse-client/reservations.js';

type Parts = SubgraphParts<
  typeof variables,
  'user' | 'shop' | 'warehouse' | 'reserving' | 'ending',
  { readonly events: Redis; readonly hints: Redis }
>;

/** @throws ConfigError, also if the payment provider contradicts the configuration */
export async function createApp(
  parts: Parts,
): Promise<CheckoutApp & LiveApp & SaleLiveApp & CountingApp & JoinApp & ShownQueueApp> {
  const { config, registry, orm, feedOrm, services, redis, logger, onStop } = parts;
  const { user, shop, warehouse, reserving, ending } = services;
  requireTimeToPay(config);
  const requestsPerSecond = config.PAYMENT_REQUESTS_PER_SECOND;
  const providers = chooseProviders(config, createBudgets({ requestsPerSecond, registry, logger }));
  onStop(() => providers.close());
  const isProduction = config.NODE_ENV === 'production';
  const providerChecks = createProviderChecks({ orm, logger }, providers, isProduction);
  const checked = providerChecks.runFirst();
  // Elsewhere nothing waits for it.
  if (isProduction) await checked;
  const feeds = createOrderFeeds(feedOrm.em, redis.events, logger);
  onStop(() => feeds.stop());
  const receiptKeys = await readSigningKeys(config.SALE_RECEIPT_KEYS, 'SALE_RECEIPT_KEYS');
  const challenge = createChallenge(config, registry, logger);
  onStop(() => challenge.close());
  const saleReads = createSaleReads(shop, warehouse);
  const holdLimits = {
    openOrdersMax: config.OPEN_ORDERS_MAX,
    openUnitsMax: config.OPEN_UNITS_PER_OFFER_MAX,
  };
  const queues = (ids: readonly string[]) => readQueues(feedOrm.em.fork(), ids);
  const saleFeeds = createSaleFeeds({ ...saleReads, queues }, logger);
  onStop(() => saleFeeds.stop());
  const refusals = createRefusalCounters(orm.em, saleReads, logger);
  onStop(() => refusals.stop());
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
    saleFeeds,
    saleReads,
    refusals,
    readQueue: createQueueReader(queues),
    admitWaiting: createAdmission(orm.em, saleReads, logger),
    reservations: createReservations(reserving, ending),
    claimKey: createClaims(orm.em),
    releaseClaim: createClaimReleases(orm.em),
    holdLimits,
    writes: createCheckoutWrites(orm.em, {
      ...holdLimits,
      addressBuyersMax: config.SALE_BUYERS_PER_ADDRESS_MAX,
    }),
    buyerHashes: createBuyerHashes(config.SALE_HASH_SECRET),
    challenge,
    queueReads: createQueueReads(orm.em),
    queueWrites: createQueueWrites(orm.em),
    receipts: createReceipts(receiptKeys),
    beacon: beaconOf(config),
    shortSkus: createShortSkus(warehouse, logger),
    providers,
    providerChecks,
    faults: createPaymentFaults(registry, logger),
    paymentWrites: createPaymentWrites(orm.em, providers.current),
    shareLookUp: createLookUpSharing(),
    reserveForMs: Math.round(config.RESERVATION_MINUTES * 60_000),
    databaseUrl: config.DATABASE_URL,
    historyPartitions: { table: 'order_event', keepMonths: config.ORDER_HISTORY_MONTHS },
    logger,
  };
}
