import { loadConfig } from '../shared/config.js';
import { connect, disconnect } from '../shared/database/connect.js';
import { watchPool } from '../shared/database/pool-metrics.js';
import type { SubgraphContext } from '../shared/graphql/context.js';
import { buildFederatedSchema } from '../shared/graphql/schema.js';
import { createServiceClient } from '../shared/http/service-client.js';
import { createClaims, pruneKeys } from '../shared/idempotency.js';
import { pruneInbox } from '../shared/messaging/inbox.js';
import { startRelay } from '../shared/messaging/outbox-relay.js';
import { createLogger } from '../shared/observability/logger.js';
import { createRegistry } from '../shared/observability/metrics.js';
import { createShopOwners } from '../shared/rights/shop-owners.js';
import { runIfMain } from '../shared/runtime/process.js';
import { closeRedis, connectRedis, createRedis } from '../shared/runtime/redis.js';
import { startWorker } from '../shared/runtime/worker.js';
import { startSubgraph } from '../shared/subgraph.js';
import { uncountIdleCarts } from './cart/uncount-idle-carts.js';
import { abandonOrders } from './checkout/abandon-orders.js';
import { type CheckoutApp, createCheckoutWrites } from './checkout/checkout-writes.js';
import { variables } from './config.js';
import { watchOrders } from './metrics.js';
import { databaseSchema } from './mikro-orm.config.js';
import { createOrderFeeds, type LiveApp, orderChannel } from './order/live/order-feeds.js';
import { onOrdersChanged } from './order/order-signals.js';
import { chooseProvider } from './payment/provider/choose-provider.js';
import { recoverPayments } from './payment/recover-payments.js';
import { sendRefunds } from './payment/send-refunds.js';
import { pruneEvents } from './payment/webhook/payment-event.js';
import { webhookRoute } from './payment/webhook/webhook-route.js';
import { source } from './schema.js';
import { createOfferReader } from './shop-client/offers-for-sale.js';
import { createReservations } from './warehouse-client/reservations.js';

const abandonEveryMs = 5000;
const recoverEveryMs = 500;
const refundEveryMs = 1000;
const uncountCartsEveryMs = 10_000;
const cleanUpEveryMs = 600_000;

/** Starts the order subgraph. */
export async function startOrder(env = process.env) {
  const config = loadConfig(variables, env);
  const provider = chooseProvider(config);
  const logger = createLogger('order', config.LOG_LEVEL);
  const orm = await connect(
    { name: 'order', url: config.DATABASE_URL, poolMax: config.DATABASE_POOL_MAX, logger },
    databaseSchema,
  );
  const user = createServiceClient(config.USER_URL, 'order', config.ORDER_SECRET);
  const shop = createServiceClient(config.SHOP_URL, 'order', config.ORDER_SECRET);
  // Payments must not wait for a connection behind checkouts that wait for their stock.
  const reserving = createServiceClient(config.WAREHOUSE_URL, 'order', config.ORDER_SECRET);
  const ending = createServiceClient(config.WAREHOUSE_URL, 'order', config.ORDER_SECRET);
  const warehouse = createServiceClient(config.WAREHOUSE_URL, 'order', config.ORDER_SECRET);
  const registry = createRegistry('order');
  watchPool(orm, registry);
  watchOrders(orm.em, registry);
  const relay = startRelay({
    em: orm.em,
    databaseUrl: config.DATABASE_URL,
    consumers: { warehouse: ending },
    registry,
    logger,
  });
  const redis = {
    events: createRedis(config.EVENTS_REDIS_URL, logger, 'events'),
    hints: createRedis(config.EVENTS_REDIS_URL, logger, 'hints'),
  };
  await Promise.all(Object.values(redis).map((connection) => connectRedis(connection, logger)));
  onOrdersChanged(orm, (orderIds) => {
    // What is lost here is made good by the feeds.
    redis.hints.publish(orderChannel, orderIds.join()).catch(() => {});
  });
  const app: CheckoutApp & LiveApp = {
    orm,
    user,
    shop,
    readOffers: createOfferReader(shop),
    warehouse,
    owners: createShopOwners(shop),
    feeds: createOrderFeeds(orm.em, redis.events, logger),
    reservations: createReservations(reserving, ending),
    claimKey: createClaims(orm.em),
    writes: createCheckoutWrites(orm.em),
    provider,
    holdForMs: Math.round(config.RESERVATION_MINUTES * 60_000),
    logger,
  };
  const workers = [
    startWorker('abandon orders', abandonEveryMs, logger, (isStopping) =>
      abandonOrders(app, isStopping),
    ),
    startWorker('recover payments', recoverEveryMs, logger, (isStopping) =>
      recoverPayments(app, isStopping),
    ),
    startWorker('send refunds', refundEveryMs, logger, (isStopping) =>
      sendRefunds(app, isStopping),
    ),
    startWorker('forget idle carts', uncountCartsEveryMs, logger, (isStopping) =>
      uncountIdleCarts(orm.em, isStopping),
    ),
    startWorker('clean up', cleanUpEveryMs, logger, async () => {
      await pruneKeys(orm.em.fork());
      await pruneInbox(orm.em.fork());
      await pruneEvents(orm.em.fork());
    }),
  ];
  return startSubgraph<SubgraphContext<typeof app>>({
    name: 'order',
    config,
    ownSecret: config.ORDER_SECRET,
    callers: { router: config.ROUTER_SECRET, warehouse: config.WAREHOUSE_SECRET },
    logger,
    registry,
    schema: await buildFederatedSchema(source),
    context: (principal) => ({ ...principal, em: orm.em.fork(), app, logger }),
    httpRoutes: [webhookRoute(app)],
    readiness: { database: () => orm.em.fork().execute('select 1') },
    onStop: [
      () => app.feeds.stop(),
      () => Promise.all([relay.stop(), ...workers.map((worker) => worker.stop())]),
      () =>
        Promise.all(
          [user, shop, warehouse, reserving, ending, provider].map((each) => each.close()),
        ),
      () => Promise.all(Object.values(redis).map(closeRedis)),
      () => disconnect(orm),
    ],
  });
}

runIfMain(import.meta.url, startOrder);
