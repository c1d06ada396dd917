import { type Config, loadConfig } from '../shared/config.js';
import { connect } from '../shared/database/connect.js';
import { watchPool } from '../shared/database/pool-metrics.js';
import { connectForReading, disconnectAll } from '../shared/database/replicas.js';
import type { SubgraphContext } from '../shared/graphql/context.js';
import { buildFederatedSchema } from '../shared/graphql/schema.js';
import { createServiceClient } from '../shared/http/service-client.js';
import { pruneInbox } from '../shared/messaging/inbox.js';
import { startRelay } from '../shared/messaging/outbox-relay.js';
import { createLogger, type Logger } from '../shared/observability/logger.js';
import { createRegistry, gaugeOf, type Registry } from '../shared/observability/metrics.js';
import { createShopOwners } from '../shared/rights/shop-owners.js';
import { runIfMain } from '../shared/runtime/process.js';
import { closeRedis, connectRedis, createRedis, watchRedis } from '../shared/runtime/redis.js';
import { startWorker } from '../shared/runtime/worker.js';
import { startSubgraph } from '../shared/subgraph.js';
import { variables } from './config.js';
import type { WarehouseApp } from './context.js';
import { startExpiry } from './expiry/expiry.js';
import type { LiveApp } from './live/live-context.js';
import { createLowStockAlerts } from './live/low-stock-alerts.js';
import { createStockFeeds } from './live/stock-feeds.js';
import { databaseSchema } from './mikro-orm.config.js';
import { lockCommandMaxMs } from './reservation/dispatcher/stock-locks.js';
import { createStockEngine, rowWaitMs, type StockEngine } from './reservation/engine.js';
import { countHeld, oldestOverdueSeconds } from './reservation/reservation.js';
import { source } from './schema.js';
import { stockCsvRoute } from './stock-csv/stock-csv.route.js';

/** What the process holds for its lifetime: all that its features ask for. */
type App = WarehouseApp & StockEngine & LiveApp;

const cleanUpEveryMs = 600_000;

/** Starts the warehouse subgraph. */
export async function startWarehouse(env = process.env) {
  const config = loadConfig(variables, env);
  const logger = createLogger('warehouse', config.LOG_LEVEL);
  const settings = {
    name: 'warehouse',
    url: config.DATABASE_URL,
    poolMax: config.DATABASE_POOL_MAX,
    lockTimeoutMs: rowWaitMs,
    logger,
  };
  const orm = await connect(settings, databaseSchema);
  const reads = await connectForReading(
    orm,
    settings,
    config.DATABASE_REPLICA_URLS,
    databaseSchema,
  );
  const redis = await connectAllRedis(config, logger);
  const clientTo = (url: string) => createServiceClient(url, 'warehouse', config.WAREHOUSE_SECRET);
  const clients = {
    shop: clientTo(config.SHOP_URL),
    product: clientTo(config.PRODUCT_URL),
    order: clientTo(config.ORDER_URL),
  };
  const registry = createRegistry('warehouse');
  watchPool(orm, registry);
  watchRedis(registry, redis.byRole);
  const app: App = {
    ...createStockEngine({ orm, timers: redis.timers, locks: redis.locks, registry, logger }),
    feeds: createStockFeeds(orm.em, redis.events, logger),
    alerts: createLowStockAlerts(orm.em, redis.events, logger),
    owners: createShopOwners(clients.shop),
    product: clients.product,
    databaseUrl: config.DATABASE_URL,
  };
  watchGauges(app, registry);
  const expiry = startExpiry({
    store: app,
    timers: redis.timers,
    events: redis.events,
    sweepEveryMs: config.SWEEP_EVERY_MS,
  });
  const relay = startRelay({
    em: orm.em,
    databaseUrl: config.DATABASE_URL,
    consumers: { order: clients.order, product: clients.product },
    registry,
    logger,
  });
  const cleanUp = startWorker('clean up', cleanUpEveryMs, logger, () => pruneInbox(orm.em.fork()));
  return startSubgraph<SubgraphContext<App>>({
    name: 'warehouse',
    config,
    ownSecret: config.WAREHOUSE_SECRET,
    callers: {
      router: config.ROUTER_SECRET,
      order: config.ORDER_SECRET,
      shop: config.SHOP_SECRET,
    },
    logger,
    registry,
    schema: await buildFederatedSchema(source),
    context: (principal, mayLag) => ({
      ...principal,
      em: (mayLag ? reads : orm).em.fork(),
      app,
      logger,
    }),
    httpRoutes: [stockCsvRoute],
    readiness: { database: () => orm.em.fork().execute('select 1') },
    onStop: [
      () => app.feeds.stop(),
      () => app.alerts.stop(),
      () => expiry.stop(),
      () => relay.stop(),
      () => cleanUp.stop(),
      () => Promise.all(Object.values(clients).map((client) => client.close())),
      () => Promise.all(redis.all.map(closeRedis)),
      () => disconnectAll(orm, reads),
    ],
  });
}

async function connectAllRedis(config: Config<typeof variables>, logger: Logger) {
  const timers = createRedis(config.TIMER_REDIS_URL, logger, 'timers');
  const events = createRedis(config.TIMER_REDIS_URL, logger, 'events');
  const locks = config.LOCK_REDIS_URLS.map((url) =>
    createRedis(url, logger, 'locks', { commandTimeout: lockCommandMaxMs }),
  );
  const all = [timers, events, ...locks];
  await Promise.all(all.map((connection) => connectRedis(connection, logger)));
  const numbered = locks.map((lock, at) => [`lock ${at + 1}`, lock] as const);
  return {
    timers,
    events,
    locks,
    all,
    byRole: { timers, events, ...Object.fromEntries(numbered) },
  };
}

function watchGauges({ orm, feeds }: App, registry: Registry): void {
  const held = { name: 'holdfast_reservations_held', help: 'Reservations that are HELD' };
  gaugeOf(registry, held, () => countHeld(orm.em.fork()));
  const overdue = {
    name: 'holdfast_reservation_overdue_seconds',
    help: 'How long the oldest HELD reservation is overdue; 0 if none is',
  };
  gaugeOf(registry, overdue, () => oldestOverdueSeconds(orm.em.fork()));
  const open = { name: 'holdfast_stock_subscriptions', help: 'Open stock subscriptions' };
  gaugeOf(registry, open, () => feeds.count());
}

runIfMain(import.meta.url, startWarehouse);
