import type { MikroORM } from '@mikro-orm/postgresql';
import { type Config, loadConfig } from '../shared/config.js';
import { connect } from '../shared/database.js';
import { createLogger, type Logger } from '../shared/logger.js';
import { startRelay } from '../shared/outbox.js';
import { runIfMain } from '../shared/process.js';
import { closeRedis, connectRedis, createRedis } from '../shared/redis.js';
import { buildFederatedSchema } from '../shared/schema.js';
import { createServiceClient } from '../shared/service-client.js';
import { createShopOwners } from '../shared/shop-owners.js';
import { startSubgraph } from '../shared/subgraph.js';
import { variables } from './config.js';
import type { WarehouseApp, WarehouseContext } from './context.js';
import { databaseSchema } from './mikro-orm.config.js';
import { source } from './schema.js';
import { startExpiry } from './stock/expiry.js';
import { createHoldTimers } from './stock/hold-timers.js';
import { createStockEvents } from './stock/stock-events.js';
import { createStockFeeds } from './stock/stock-feeds.js';
import { createStockLocks } from './stock/stock-locks.js';

/** Starts the warehouse subgraph. */
export async function startWarehouse(env = process.env) {
  const config = loadConfig(variables, env);
  const logger = createLogger('warehouse', config.LOG_LEVEL);
  const orm = await connect(
    { name: 'warehouse', url: config.DATABASE_URL, poolMax: config.DATABASE_POOL_MAX, logger },
    databaseSchema,
  );
  const redis = await connectAllRedis(config, logger);
  const clientTo = (url: string) => createServiceClient(url, 'warehouse', config.WAREHOUSE_SECRET);
  const clients = {
    shop: clientTo(config.SHOP_URL),
    product: clientTo(config.PRODUCT_URL),
    order: clientTo(config.ORDER_URL),
  };
  const app = createApp(orm, redis, clients, logger);
  const expiry = startExpiry({
    engine: app,
    timers: redis.timers,
    events: redis.timerEvents,
    sweepEveryMs: config.SWEEP_EVERY_MS,
  });
  const relay = startRelay({
    em: orm.em,
    databaseUrl: config.DATABASE_URL,
    consumers: { order: clients.order },
    logger,
  });
  return startSubgraph<WarehouseContext>({
    name: 'warehouse',
    config,
    ownSecret: config.WAREHOUSE_SECRET,
    callers: { router: config.ROUTER_SECRET, order: config.ORDER_SECRET },
    logger,
    schema: await buildFederatedSchema(source),
    context: (principal) => ({ ...principal, em: orm.em.fork(), app, logger }),
    readiness: { database: () => orm.em.fork().execute('select 1') },
    onStop: [
      () => app.feeds.stop(),
      () => expiry.stop(),
      () => relay.stop(),
      () => Promise.all(Object.values(clients).map((client) => client.close())),
      () => Promise.all(redis.all.map(closeRedis)),
      () => orm.close(),
    ],
  });
}

async function connectAllRedis(config: Config<typeof variables>, logger: Logger) {
  const timers = createRedis(config.TIMER_REDIS_URL, logger, 'timers');
  const timerEvents = createRedis(config.TIMER_REDIS_URL, logger, 'timer-events');
  const publisher = createRedis(config.REDIS_URL, logger, 'publisher');
  const subscriber = createRedis(config.REDIS_URL, logger, 'subscriber');
  const locks = config.LOCK_REDIS_URLS.map((url) => createRedis(url, logger, 'locks'));
  const all = [timers, timerEvents, publisher, subscriber, ...locks];
  await Promise.all(all.map((connection) => connectRedis(connection, logger)));
  return { timers, timerEvents, publisher, subscriber, locks, all };
}

function createApp(
  orm: MikroORM,
  redis: Awaited<ReturnType<typeof connectAllRedis>>,
  clients: Record<'shop' | 'product', ReturnType<typeof createServiceClient>>,
  logger: Logger,
): WarehouseApp {
  return {
    orm,
    logger,
    locks: createStockLocks(redis.locks, logger),
    timers: createHoldTimers(redis.timers, logger),
    events: createStockEvents(redis.publisher, logger),
    feeds: createStockFeeds(orm.em, redis.subscriber, logger),
    owners: createShopOwners(clients.shop),
    product: clients.product,
  };
}

runIfMain(import.meta.url, startWarehouse);
