import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { callerCredentials, callerHeader, createTokenVerifier } from '../subgraphs/shared/auth.js';
import { loadConfig } from '../subgraphs/shared/config.js';
import { hideSuggestions, maskErrors } from '../subgraphs/shared/errors.js';
import { HttpError, readGraphQLBody, serveGraphQL } from '../subgraphs/shared/http.js';
import { createLogger, type Logger } from '../subgraphs/shared/logger.js';
import { createRegistry } from '../subgraphs/shared/metrics.js';
import { runIfMain } from '../subgraphs/shared/process.js';
import { closeRedis, connectRedis, createRedis } from '../subgraphs/shared/redis.js';
import { requestTrace } from '../subgraphs/shared/request-context.js';
import { startServer } from '../subgraphs/shared/server.js';
import { clientAddress } from './client-address.js';
import { type RouterConfig, tlsOf, variables } from './config.js';
import { createGateway } from './gateway.js';
import { limiterCommandMaxMs, pausedAfterFailure } from './limiter-redis.js';
import { loginLimitPlugin } from './login-limits.js';
import { operationChecks } from './operation-checks.js';
import { costLimitPlugin, queryLimitRules } from './query-limits.js';
import {
  type CountAgainst,
  createRateLimits,
  type RateLimitTable,
  rateLimitProfiles,
  tellProfile,
} from './rate-limits.js';
import type { RouterContext } from './subgraph-data-source.js';
import { subscriptionPlugin } from './subscriptions/accept.js';
import { createSubscriptions } from './subscriptions/index.js';
import { createWebHeaders, isPreflight } from './web-headers.js';

// The gateway reports its use to Apollo unless it is told not to.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

const bodyMaxBytes = 100_000;

interface Overrides {
  /** the limits to use, whatever `RATE_LIMIT_PROFILE` says */
  readonly rateLimits?: RateLimitTable;
}

/** Starts the router: the public graph, at `/graphql`. */
export async function startRouter(env = process.env, { rateLimits }: Overrides = {}) {
  const config = loadConfig(variables, env);
  const tls = tlsOf(config);
  const logger = createLogger('router', config.LOG_LEVEL);
  const registry = createRegistry('router');
  const redis = createRedis(config.RATE_LIMIT_REDIS_URL, logger, 'limits', limiterCommandMaxMs);
  const table = rateLimits ?? rateLimitProfiles[config.RATE_LIMIT_PROFILE];
  const count = createRateLimits(table, pausedAfterFailure(redis), registry);
  tellProfile(config.RATE_LIMIT_PROFILE, logger);
  const { gateway, services, urls, closeSources } = createGateway(config, logger);
  const verifyToken = createTokenVerifier(config.JWKS_URL, {
    [callerHeader]: callerCredentials('router', config.ROUTER_SECRET),
  });
  const formatError = errorFormat(config, logger);
  const serveSubscriptions = createSubscriptions({
    config,
    logger,
    registry,
    gateway,
    services,
    urls,
    count,
    formatError,
    verifyToken,
  });
  const apollo = createApollo(config, logger, gateway, count, formatError);
  await apollo.start();
  await connectRedis(redis, logger);
  const subscriptions = serveSubscriptions(apollo);
  const setHeaders = createWebHeaders(config.CORS_ORIGINS, tls !== null);

  // The cheapest refusal comes first: nothing is read or verified for an address that asks too much.
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setHeaders(request, response);
    const address = clientAddress(request, config.TRUST_PROXY);
    await count('ip', address);
    if (isPreflight(request)) {
      response.writeHead(204).end();
      return;
    }
    const path = request.url?.split('?', 1)[0];
    if (path === '/') {
      response.writeHead(302, { location: '/graphql' }).end();
      return;
    }
    if (path !== '/graphql') throw new HttpError(404, `There is nothing at ${path}.`);
    const { authorization } = request.headers;
    const identity = await verifyToken(authorization);
    if (identity) await count('user', identity.id);
    const requestId = requestTrace.getStore()?.requestId as string;
    const context = { requestId, authorization, address };
    const body = await readGraphQLBody(request, bodyMaxBytes);
    if (await subscriptions.serve(request, response, body, context)) return;
    await serveGraphQL(apollo, request, response, { body, context });
  }

  return startServer({
    name: 'router',
    host: config.HOST,
    port: config.PORT,
    opsPort: config.OPS_PORT,
    logger,
    registry,
    tls,
    requestLogLevel: 'info',
    handle,
    readiness: { supergraph: async () => apollo.assertStarted('readiness') },
    onServer: (server) => server.on('upgrade', subscriptions.upgrade),
    drain: () => subscriptions.stop(),
    onStop: [() => apollo.stop(), closeSources, () => closeRedis(redis)],
  });
}

function errorFormat(config: RouterConfig, logger: Logger) {
  const format = maskErrors(logger);
  return config.INTROSPECTION ? format : hideSuggestions(format);
}

function createApollo(
  config: RouterConfig,
  logger: Logger,
  gateway: ApolloGateway,
  count: CountAgainst,
  formatError: ReturnType<typeof errorFormat>,
) {
  return new ApolloServer<RouterContext>({
    gateway,
    introspection: config.INTROSPECTION,
    hideSchemaDetailsFromClientErrors: !config.INTROSPECTION,
    formatError,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    parseOptions: { maxTokens: config.QUERY_TOKENS_MAX },
    validationRules: queryLimitRules(config),
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger,
    plugins: [
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      config.INTROSPECTION
        ? ApolloServerPluginLandingPageLocalDefault({ embed: true, includeCookies: false })
        : ApolloServerPluginLandingPageDisabled(),
      operationChecks,
      costLimitPlugin(config),
      loginLimitPlugin(count, config.ROUTER_SECRET),
      subscriptionPlugin,
    ],
  });
}

runIfMain(import.meta.url, startRouter);
