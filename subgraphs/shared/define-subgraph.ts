import type { EntityManager, MikroORM } from '@mikro-orm/postgresql';
import type { Redis } from 'ioredis';
import { events, type Topic } from '../contracts/events.js';
import type { Principal } from './auth/callers.js';
import { type Caller, loadConfig, type Variables } from './config.js';
import { connect, disconnect, type Schema } from './database/connect.js';
import { openHealthConnection } from './database/pool/health-connection.js';
import { watchFeedPool, watchPool } from './database/pool-metrics.js';
import { connectForReading, disconnectAll } from './database/replicas.js';
import type { UnusableServerError } from './database/unusable-server.js';
import type { SubgraphContext } from './graphql/context.js';
import { buildFederatedSchema, type SchemaSource } from './graphql/schema.js';
import { createServiceClient, type ServiceClient } from './http/service-client.js';
import type { EventHandlers } from './messaging/apply-events.js';
import { createInboxResolver } from './messaging/inbox.js';
import { startRelay } from './messaging/relay/start-relay.js';
import { createLogger, type Logger } from './observability/logger.js';
import { createRegistry, gaugeOf } from './observability/metrics.js';
import { checkServer } from './runtime/check-server.js';
import type { Service } from './runtime/process.js';
import { closeRedis, connectRedis, createRedis, watchRedis } from './runtime/redis.js';
import { startPruning } from './runtime/start-pruning.js';
import { startWorker } from './runtime/worker.js';
import { startSubgraph } from './subgraph.js';
import type {
  BaseConfig,
  RedisSettings,
  Subgraph,
  SubgraphDefinition,
  SubgraphVariables,
} from './subgraph-definition.js';

/**
 * Wires a subgraph: configuration, database and replicas, Redis, service clients, application object,
 * outbox relay, workers, server. What was started is stopped in the reverse order.
 */
export function defineSubgraph<
  N extends Caller,
  V extends SubgraphVariables,
  S extends string = never,
  // biome-ignore lint/complexity/noBannedTypes: without Redis there is no role
  const R extends RedisSettings<V> = {},
  A = null,
>(definition: SubgraphDefinition<N, V, S, R, A>): Subgraph {
  const source = withInbox(definition.name, definition.source, definition.consumes);
  return {
    source,
    async start(env = process.env) {
      const stops: Array<() => Promise<unknown>> = [];
      try {
        return await start(definition, source, env, stops);
      } catch (error) {
        for (const stop of stops.toReversed()) await stop();
        throw error;
      }
    },
  };
}

function withInbox<A>(
  name: Caller,
  source: SchemaSource,
  handlers: EventHandlers<SubgraphContext<A>>,
): SchemaSource {
  if (Object.keys(handlers).length === 0) return source;
  return { ...source, resolvers: [...source.resolvers, createInboxResolver(name, handlers)] };
}

/** @param stops is given a step for each thing that was started, in order */
async function start<
  N extends Caller,
  V extends SubgraphVariables,
  S extends string,
  R extends RedisSettings<V>,
  A,
>(
  definition: SubgraphDefinition<N, V, S, R, A>,
  source: SchemaSource,
  env: NodeJS.ProcessEnv,
  stops: Array<() => Promise<unknown>>,
): Promise<Service> {
  const { name } = definition;
  const config = loadConfig<Variables>(definition.variables, env) as BaseConfig;
  const logger = createLogger(name, config.LOG_LEVEL);
  const registry = createRegistry(name);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {}); // `runIfMain` ends the process
  const onUnusable = failed.reject;
  const { orm, reads } = await connectDatabase(definition, config, logger, onUnusable);
  stops.push(() => disconnectAll(orm, reads));
  stops.push(await checkServer(orm, definition.databaseSchema, logger, onUnusable));
  watchPool(orm, registry);
  const health = openHealthConnection(name, config.DATABASE_URL);
  stops.push(() => health.close());
  const feedOrm = await connectFeeds(definition, config, logger, orm, onUnusable);
  if (feedOrm !== orm) {
    stops.push(() => disconnect(feedOrm));
    watchFeedPool(feedOrm, registry);
  }
  const redis = createAllRedis(definition.redis ?? {}, config, logger);
  stops.push(() => Promise.all(redis.all.map(closeRedis)));
  await Promise.all(redis.all.map((connection) => connectRedis(connection, logger)));
  if (redis.all.length > 0) watchRedis(registry, redis.byRole);
  const services = createServices(definition, config);
  stops.push(() => Promise.all(Object.values(services).map((service) => service.close())));

  const parts = { config, logger, registry, orm, feedOrm, services, redis: redis.byName };
  const onStop = (step: () => Promise<unknown>) => void stops.push(step);
  const app = ((await definition.app?.({ ...parts, onStop } as never)) ?? null) as A;
  const running = () => ({ app, em: orm.em.fork(), logger });
  for (const { read, ...gauge } of definition.gauges ?? []) {
    gaugeOf(registry, gauge, () => read(running()));
  }
  const consumers = Object.entries<S>(definition.emits).map(
    ([topic, service]) => [events[topic as Topic].consumer, services[service]] as const,
  );
  if (consumers.length > 0) {
    const relay = startRelay({
      em: orm.em,
      databaseUrl: config.DATABASE_URL,
      consumers: Object.fromEntries(consumers) as Record<string, ServiceClient>,
      registry,
      logger,
    });
    stops.push(() => relay.stop());
  }
  const { databaseSchema } = definition;
  const pruning = startPruning({ em: orm.em, databaseSchema, logger, registry });
  stops.push(() => pruning.stop());
  const workers = Object.entries(definition.workers ?? {}).map(([worker, definition]) => {
    const work = (isStopping: () => boolean) => definition.run(running(), isStopping);
    const { everyMs, parallelMax } = definition;
    const started = startWorker(worker, everyMs, logger, work, parallelMax);
    definition.wakenBy?.(orm, () => started.wake());
    return started;
  });
  stops.push(() => Promise.all(workers.map((worker) => worker.stop())));

  const sources = { primary: orm, replica: reads, feeds: feedOrm };
  const service = await startSubgraph<SubgraphContext<A>>({
    name,
    config,
    ownSecret: secretIn(config, name),
    callers: secretsIn(config, definition.callers),
    routeCallers: secretsIn(config, definition.routeCallers ?? []),
    logger,
    registry,
    schema: await buildFederatedSchema(source),
    context: (principal, source) => contextOf(principal, sources[source], app, logger),
    routes: Object.fromEntries(
      Object.entries(definition.routes ?? {}).map(([path, read]) => [path, () => read(app)]),
    ),
    httpRoutes: definition.httpRoutes ?? [],
    readiness: { database: () => health.check() },
    onStop: stops.toReversed(),
  });
  return { ...service, failed: failed.promise };
}

/** Many requests never use their entity manager, which is made at its first use. */
function contextOf<A>(
  principal: Principal,
  orm: MikroORM,
  app: A,
  logger: Logger,
): SubgraphContext<A> {
  let em: EntityManager | undefined;
  return {
    ...principal,
    get em() {
      em ??= orm.em.fork();
      return em;
    },
    app,
    logger,
  };
}

const readValue = <T>(config: BaseConfig, variable: string) =>
  (config as Readonly<Record<string, unknown>>)[variable] as T;

const secretIn = (config: BaseConfig, caller: Caller) =>
  readValue<string>(config, `${caller.toUpperCase()}_SECRET`);

const secretsIn = (config: BaseConfig, callers: readonly Caller[]) =>
  Object.fromEntries(callers.map((caller) => [caller, secretIn(config, caller)]));

type OnUnusable = (error: UnusableServerError) => void;

interface DatabaseDefinition {
  readonly name: Caller;
  readonly databaseSchema: Schema;
  readonly lockTimeoutMs?: number;
}

async function connectDatabase(
  { name, databaseSchema, lockTimeoutMs }: DatabaseDefinition,
  { DATABASE_URL, DATABASE_POOL_MAX, DATABASE_REPLICA_URLS = [] }: BaseConfig,
  logger: Logger,
  onUnusable: OnUnusable,
) {
  const settings = {
    name,
    url: DATABASE_URL,
    poolMax: DATABASE_POOL_MAX,
    ...(lockTimeoutMs !== undefined && { lockTimeoutMs }),
    logger,
    onUnusable,
  };
  const orm = await connect(settings, databaseSchema);
  const reads = await connectForReading(orm, settings, DATABASE_REPLICA_URLS, databaseSchema);
  return { orm, reads };
}

interface FeedsDefinition {
  readonly name: Caller;
  readonly databaseSchema: Schema;
  readonly feedPoolMax?: string;
}

/** Snapshots of subscriptions must not wait for requests, nor requests for them. */
async function connectFeeds(
  { name, databaseSchema, feedPoolMax }: FeedsDefinition,
  config: BaseConfig,
  logger: Logger,
  orm: MikroORM,
  onUnusable: OnUnusable,
): Promise<MikroORM> {
  if (!feedPoolMax) return orm;
  const poolMax = readValue<number>(config, feedPoolMax);
  const url = config.DATABASE_URL;
  const settings = { name: `${name}-feeds`, url, poolMax, logger, onUnusable };
  return connect(settings, databaseSchema);
}

interface ServicesDefinition {
  readonly name: Caller;
  readonly services?: Readonly<Record<string, string>>;
}

function createServices({ name, services = {} }: ServicesDefinition, config: BaseConfig) {
  const clients = Object.entries(services).map(([service, variable]) => {
    const url = readValue<string>(config, variable);
    return [service, createServiceClient(url, name, secretIn(config, name))] as const;
  });
  return Object.fromEntries(clients) as Readonly<Record<string, ServiceClient>>;
}

/** The connections by their names, in one list, and by their roles, for the metrics. */
function createAllRedis(
  settings: Readonly<Record<string, { readonly url: string; readonly commandTimeout?: number }>>,
  config: BaseConfig,
  logger: Logger,
) {
  const byName: Record<string, Redis | Redis[]> = {};
  const byRole: Record<string, Redis> = {};
  for (const [name, { url, ...options }] of Object.entries(settings)) {
    const urls = readValue<string | readonly string[]>(config, url);
    if (typeof urls === 'string') {
      byRole[name] = byName[name] = createRedis(urls, logger, name, options);
      continue;
    }
    const connections = urls.map((each) => createRedis(each, logger, name, options));
    byName[name] = connections;
    for (const [n, connection] of connections.entries()) byRole[`${name} ${n + 1}`] = connection;
  }
  return { byName, byRole, all: Object.values(byRole) };
}
