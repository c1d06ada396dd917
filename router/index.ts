import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import { callerCredentials, callerHeader, createTokenVerifier } from '../subgraphs/shared/auth.js';
import { loadConfig } from '../subgraphs/shared/config.js';
import { maskErrors } from '../subgraphs/shared/errors.js';
import { HttpError, serveGraphQL } from '../subgraphs/shared/http.js';
import { createLogger } from '../subgraphs/shared/logger.js';
import { createRegistry } from '../subgraphs/shared/metrics.js';
import { runIfMain } from '../subgraphs/shared/process.js';
import { requestTrace } from '../subgraphs/shared/request-context.js';
import { startServer } from '../subgraphs/shared/server.js';
import { variables } from './config.js';
import { createGateway } from './gateway.js';
import type { RouterContext } from './subgraph-data-source.js';

// The gateway reports its use to Apollo unless it is told not to.
process.env.APOLLO_TELEMETRY_DISABLED = 'true';

const bodyMaxBytes = 100_000;

/** Starts the router: the public graph, at `/graphql`. */
export async function startRouter(env = process.env) {
  const config = loadConfig(variables, env);
  const logger = createLogger('router', config.LOG_LEVEL);
  const { gateway, closeSources } = createGateway(config, logger);
  const apollo = new ApolloServer<RouterContext>({
    gateway,
    introspection: config.NODE_ENV !== 'production',
    includeStacktraceInErrorResponses: false,
    formatError: maskErrors(logger),
    stopOnTerminationSignals: false,
    logger,
    plugins: [
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginLandingPageLocalDefault({ embed: true, includeCookies: false }),
    ],
  });
  await apollo.start();
  const verifyToken = createTokenVerifier(config.JWKS_URL, {
    [callerHeader]: callerCredentials('router', config.ROUTER_SECRET),
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?', 1)[0];
    if (path === '/') {
      response.writeHead(302, { location: '/graphql' }).end();
      return;
    }
    if (path !== '/graphql') throw new HttpError(404, `There is nothing at ${path}.`);
    const { authorization } = request.headers;
    await verifyToken(authorization);
    const requestId = requestTrace.getStore()?.requestId as string;
    await serveGraphQL(apollo, request, response, {
      bodyMaxBytes,
      context: { requestId, authorization },
    });
  }

  return startServer({
    name: 'router',
    host: config.HOST,
    port: config.PORT,
    opsPort: config.OPS_PORT,
    logger,
    registry: createRegistry('router'),
    requestLogLevel: 'info',
    handle,
    readiness: { supergraph: async () => apollo.assertStarted('readiness') },
    onStop: [() => apollo.stop(), closeSources],
  });
}

runIfMain(import.meta.url, startRouter);
