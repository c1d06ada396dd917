import { loadConfig } from '../shared/config.js';
import { connect } from '../shared/database/connect.js';
import { watchPool } from '../shared/database/pool-metrics.js';
import { connectForReading, disconnectAll } from '../shared/database/replicas.js';
import { buildFederatedSchema } from '../shared/graphql/schema.js';
import { createServiceClient } from '../shared/http/service-client.js';
import { pruneInbox } from '../shared/messaging/inbox.js';
import { startRelay } from '../shared/messaging/outbox-relay.js';
import { createLogger } from '../shared/observability/logger.js';
import { createRegistry } from '../shared/observability/metrics.js';
import { runIfMain } from '../shared/runtime/process.js';
import { startWorker } from '../shared/runtime/worker.js';
import { startSubgraph } from '../shared/subgraph.js';
import { variables } from './config.js';
import type { ProductContext } from './context.js';
import { databaseSchema } from './mikro-orm.config.js';
import { source } from './schema.js';

const cleanUpEveryMs = 600_000;

/** Starts the product subgraph. */
export async function startProduct(env = process.env) {
  const config = loadConfig(variables, env);
  const logger = createLogger('product', config.LOG_LEVEL);
  const settings = {
    name: 'product',
    url: config.DATABASE_URL,
    poolMax: config.DATABASE_POOL_MAX,
    logger,
  };
  const orm = await connect(settings, databaseSchema);
  const reads = await connectForReading(
    orm,
    settings,
    config.DATABASE_REPLICA_URLS,
    databaseSchema,
  );
  const registry = createRegistry('product');
  watchPool(orm, registry);
  const shop = createServiceClient(config.SHOP_URL, 'product', config.PRODUCT_SECRET);
  const cleaner = startWorker('clean up', cleanUpEveryMs, logger, () => pruneInbox(orm.em.fork()));
  const relay = startRelay({
    em: orm.em,
    databaseUrl: config.DATABASE_URL,
    consumers: { shop },
    registry,
    logger,
  });
  return startSubgraph<ProductContext>({
    name: 'product',
    config,
    ownSecret: config.PRODUCT_SECRET,
    callers: {
      router: config.ROUTER_SECRET,
      shop: config.SHOP_SECRET,
      warehouse: config.WAREHOUSE_SECRET,
    },
    logger,
    registry,
    schema: await buildFederatedSchema(source),
    context: (principal, mayLag) => ({
      ...principal,
      em: (mayLag ? reads : orm).em.fork(),
      app: null,
      logger,
    }),
    readiness: { database: () => orm.em.fork().execute('select 1') },
    onStop: [
      () => Promise.all([relay.stop(), cleaner.stop()]),
      () => shop.close(),
      () => disconnectAll(orm, reads),
    ],
  });
}

runIfMain(import.meta.url, startProduct);
