import type { IncomingMessage, ServerResponse } from 'node:http';
import { callerCredentials, callerHeader } from '../subgraphs/shared/auth/callers.js';
import { createTokenVerifier } from '../subgraphs/shared/auth/tokens.js';
import { loadConfig } from '../subgraphs/shared/config.js';
import { DomainError } from '../subgraphs/shared/errors.js';
import {
  HttpError,
  readGraphQLBody,
  sendPlainError,
  serveGraphQL,
} from '../subgraphs/shared/http/http.js';
import { startServer } from '../subgraphs/shared/http/server.js';
import { createLogger } from '../subgraphs/shared/observability/logger.js';
import { createRegistry } from '../subgraphs/shared/observability/metrics.js';
import { requestTrace } from '../subgraphs/shared/observability/request-context.js';
import { requestLogOf } from '../subgraphs/shared/observability/request-log.js';
import { runIfMain } from '../subgraphs/shared/runtime/process.js';
import {
  closeRedis,
  connectRedis,
  createRedis,
  watchRedis,
} from '../subgraphs/shared/runtime/redis.js';
import { createAdmission, runningMax } from './admission/admission.js';
import { textOf } from './admission/operation-class.js';
import { refuseOperation } from './admission/refuse.js';
import { tlsOf, variables } from './config.js';
import type { Admitted } from './context.js';
import { createExplorer, isExplorerPath } from './explorer/index.js';
import { createApollo, errorFormat } from './gateway/apollo.js';
import { createGateway } from './gateway/gateway.js';
import { warmUp } from './gateway/warm-up.js';
import { clientAddress } from './http/client-address.js';
import {
  createProxiedRoutes,
  type ProxiedRoute,
  transfersMax,
  transfersPerClientMax,
} from './http/proxied-routes.js';
import { createWebHeaders, isPreflight } from './http/web-headers.js';
import { createCharge } from './limits/charge.js';
import { createFileLimit, fileLimits } from './limits/file-limit.js';
import { limiterCommandMaxMs, withCooldown } from './limits/limiter-redis.js';
import {
  createCostLimits,
  createRateLimits,
  type RateLimit,
  type RateLimitTable,
  rateLimitProfiles,
  warnOfRaisedLimits,
} from './limits/rate-limits.js';
import { forwardWebhook } from './limits/webhook-limit.js';
import { readKnownOperations } from './operations/known-operations.js';
import { createStore } from './store/index.js';
import { isStorePath } from './store/paths.js';
import { storeSettings } from './store/settings.js';
import { createOpenCounts } from './subscriptions/feed/open-counts.js';
import { createSubscriptions } from './subscriptions/index.js';

// By default the gateway reports its use to Apollo.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

const bodyMaxBytes = 100_000;
const methods = ['GET', 'HEAD', 'POST'];

/** What tests replace. */
export interface Overrides {
  /** overrides the limits of `RATE_LIMIT_PROFILE` */
  readonly rateLimits?: RateLimitTable;
  /** timeout of a Redis command before requests are counted in memory, in ms */
  readonly limiterMaxMs?: number;
  /** overrides the limit of the store's files of `RATE_LIMIT_PROFILE` */
  readonly fileLimit?: RateLimit;
  /** the folder of the store's files, if not that of the build */
  readonly storeFolder?: string;
}

/** Starts the router: the public API at `/graphql`, and the store. */
export async function startRouter(env = process.env, overrides: Overrides = {}) {
  const { rateLimits, limiterMaxMs = limiterCommandMaxMs, storeFolder } = overrides;
  const config = loadConfig(variables, env);
  const tls = tlsOf(config);
  const settings = storeSettings(config);
  const logger = createLogger('router', config.LOG_LEVEL);
  const registry = createRegistry('router');
  const redis = createRedis(config.RATE_LIMIT_REDIS_URL, logger, 'limits', {
    commandTimeout: limiterMaxMs,
    // Commands of one turn of the event loop are sent in one message.
    enableAutoPipelining: true,
  });
  const table = rateLimits ?? rateLimitProfiles[config.RATE_LIMIT_PROFILE];
  const consumeLimit = createRateLimits(table, withCooldown(redis), registry);
  const consumeCost = createCostLimits(consumeLimit);
  const events = config.EVENTS_REDIS_URL
    ? createRedis(config.EVENTS_REDIS_URL, logger, 'events')
    : undefined;
  warnOfRaisedLimits(config.RATE_LIMIT_PROFILE, logger);
  const federation = createGateway(config, env, logger, registry);
  const { gateway, executing, supergraph, health, eventServices, urls, closeSources } = federation;
  const verifyToken = createTokenVerifier(config.JWKS_URL, {
    [callerHeader]: callerCredentials('router', config.ROUTER_SECRET),
  });
  const formatError = errorFormat(config, logger);
  const shared = { config, logger, registry, consumeLimit, formatError };
  const serveSubscriptions = createSubscriptions({
    ...shared,
    gateway,
    supergraph,
    services: eventServices,
    urls,
    consumeCost,
    events,
    verifyToken,
  });
  const operations = readKnownOperations();
  const apollo = createApollo({ ...shared, gateway: executing, supergraph, operations });
  watchRedis(registry, { limits: redis, ...(events && { events }) });
  await apollo.start();
  await connectRedis(redis, logger);
  await warmUp(apollo, operations, logger);
  gateway.onSchemaLoadOrUpdate(() => void warmUp(apollo, operations, logger));
  const admission = createAdmission(runningMax(config.OPERATIONS_MAX), registry);
  const subscriptions = serveSubscriptions(apollo, admission);
  if (events) await connectRedis(events, logger);
  const setHeaders = createWebHeaders(config.CORS_ORIGINS, tls !== null);
  const serveExplorer = createExplorer(config.INTROSPECTION, operations);
  const fileLimit = overrides.fileLimit ?? fileLimits[config.RATE_LIMIT_PROFILE];
  const consumeFileLimit = createFileLimit(fileLimit, registry);
  const serveStore = createStore({ settings, consumeFileLimit, logger, folder: storeFolder });
  const proxiedRoutes = createProxiedRoutes(urls, config.ROUTER_SECRET, logger);
  const transfers = createOpenCounts('File transfer', transfersPerClientMax, transfersMax);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setHeaders(request, response);
    const path = request.url?.split('?', 1)[0];
    // Before the limits in Redis, from memory: an office behind one address can load pages.
    if (path && isStorePath(path)) {
      return serveStore(request, response, path, clientAddress(request, config.TRUST_PROXY));
    }
    const route = proxiedRoutes.find(request);
    if (!route) return answer(request, response);
    await answer(request, response, route).catch((error) => {
      if (!(error instanceof DomainError)) throw error;
      sendPlainError(response, error);
    });
  }

  // The cheapest check is first: for an address over its limit nothing is read or verified.
  async function answer(request: IncomingMessage, response: ServerResponse, route?: ProxiedRoute) {
    const deadlineMs = performance.now() + config.OPERATION_TIMEOUT_MS;
    const address = clientAddress(request, config.TRUST_PROXY);
    const path = request.url?.split('?', 1)[0];
    const mayBeOperation = path === '/graphql' && methods.includes(request.method ?? '');
    if (mayBeOperation) return answerOperation(request, response, address, deadlineMs);
    const forward = () =>
      route?.proxy.forward(request, response, requestTrace.getStore()?.requestId as string);
    // Its signature is verified by the subgraph; its sender has no token.
    if (route?.isWebhook) return forwardWebhook(consumeLimit, address, response, forward);
    await consumeLimit('ip', address);
    if (isPreflight(request)) {
      response.writeHead(204).end();
      return;
    }
    if (path && isExplorerPath(path)) return serveExplorer(request, response, path);
    if (path === '/graphql') {
      response.setHeader('allow', methods.join(', '));
      throw new HttpError(405, `Method not allowed: ${request.method}`);
    }
    if (!route) throw new HttpError(404, `Not found: ${path}`);
    const identity = await verifyToken(request.headers.authorization);
    if (identity) await consumeLimit('user', identity.id);
    const release = transfers.acquire(identity?.id ?? address);
    try {
      await forward();
    } finally {
      release();
    }
  }

  // Counted together with its cost, in one message. An address that is over its limit is refused before, and an
  // operation of which too many run as soon as it is known.
  async function answerOperation(
    request: IncomingMessage,
    response: ServerResponse,
    address: string,
    deadlineMs: number,
  ) {
    await consumeLimit('ip', address, 0);
    let charge = createCharge(consumeLimit, address, undefined);
    let admitted: Admitted | null = null;
    try {
      const body = await readGraphQLBody(request, bodyMaxBytes);
      // Apollo Server refuses mutations by GET.
      const isQuery = request.method !== 'POST';
      admitted = admission.admit(textOf(body), isQuery ? 'query' : undefined);
      if (!admitted) {
        refuseOperation(response);
        void charge().catch(() => {});
        return;
      }
      const { authorization } = request.headers;
      const identity = await verifyToken(authorization);
      charge = createCharge(consumeLimit, address, identity?.id);
      if (identity) await consumeLimit('user', identity.id, 0);
      const requestId = requestTrace.getStore()?.requestId as string;
      const context = { requestId, authorization, address, deadlineMs, charge, admitted };
      if (!(await subscriptions.serve(request, response, body, context))) {
        await serveGraphQL(apollo, request, response, { body, context });
      }
    } catch (error) {
      await charge();
      throw error;
    } finally {
      admitted?.end();
    }
    // What was not an operation has been answered, and counts for the next request.
    await charge().catch(() => {});
  }

  return startServer({
    name: 'router',
    host: config.HOST,
    port: config.PORT,
    opsPort: config.OPS_PORT,
    logger,
    registry,
    tls,
    requestLog: requestLogOf(config, 'info', isStorePath),
    handle,
    readiness: {
      supergraph: async () => apollo.assertStarted('readiness'),
      subgraphs: health.check,
    },
    onServer: (server) => server.on('upgrade', subscriptions.upgrade),
    drain: () => subscriptions.stop(),
    onStop: [
      () => apollo.stop(),
      health.stop,
      closeSources,
      proxiedRoutes.close,
      () => closeRedis(redis),
      async () => events && (await closeRedis(events)),
    ],
  });
}

runIfMain(import.meta.url, startRouter);
