import { loadConfig } from '../shared/config.js';
import { connect, disconnect } from '../shared/database/connect.js';
import { watchPool } from '../shared/database/pool-metrics.js';
import { buildFederatedSchema } from '../shared/graphql/schema.js';
import { createLogger } from '../shared/observability/logger.js';
import { createRegistry } from '../shared/observability/metrics.js';
import { runIfMain } from '../shared/runtime/process.js';
import { closeRedis, connectRedis, createRedis, watchRedis } from '../shared/runtime/redis.js';
import { startWorker } from '../shared/runtime/worker.js';
import { startSubgraph } from '../shared/subgraph.js';
import { variables } from './config.js';
import type { UserApp, UserContext } from './context.js';
import { createMessageSender } from './message/create-message-sender.js';
import { databaseSchema } from './mikro-orm.config.js';
import { source } from './schema.js';
import { pruneSessions } from './session/end-sessions.js';
import { readSigningKeys } from './session/signing-keys.js';
import { createOneTimeCodes } from './verification/one-time-codes.js';

const pruneEveryMs = 60_000;

/** Starts the user subgraph. */
export async function startUser(env = process.env) {
  const config = loadConfig(variables, env);
  const logger = createLogger('user', config.LOG_LEVEL);
  const keys = await readSigningKeys(config.AUTH_SIGNING_KEYS);
  const orm = await connect(
    { name: 'user', url: config.DATABASE_URL, poolMax: config.DATABASE_POOL_MAX, logger },
    databaseSchema,
  );
  const redis = createRedis(config.OTP_REDIS_URL, logger, 'codes');
  await connectRedis(redis, logger);
  const registry = createRegistry('user');
  watchPool(orm, registry);
  watchRedis(registry, { codes: redis });
  const messages = createMessageSender(config, logger);
  const app: UserApp = {
    keys,
    codes: createOneTimeCodes(redis, config.OTP_SECRET, logger),
    messages,
  };
  const pruner = startWorker('clean up of sessions', pruneEveryMs, logger, () =>
    pruneSessions(orm.em.fork()),
  );
  return startSubgraph<UserContext>({
    name: 'user',
    config,
    ownSecret: config.USER_SECRET,
    callers: { router: config.ROUTER_SECRET, order: config.ORDER_SECRET },
    // Everybody needs the keys of tokens; the operations are for people, through the router's limits.
    routeCallers: {
      user: config.USER_SECRET,
      product: config.PRODUCT_SECRET,
      shop: config.SHOP_SECRET,
      warehouse: config.WAREHOUSE_SECRET,
      order: config.ORDER_SECRET,
    },
    logger,
    registry,
    schema: await buildFederatedSchema(source),
    context: (principal) => ({ ...principal, em: orm.em.fork(), app, logger }),
    routes: { '/.well-known/jwks.json': () => keys.published },
    readiness: { database: () => orm.em.fork().execute('select 1') },
    onStop: [
      () => pruner.stop(),
      () => messages.close(),
      () => closeRedis(redis),
      () => disconnect(orm),
    ],
  });
}

runIfMain(import.meta.url, startUser);
