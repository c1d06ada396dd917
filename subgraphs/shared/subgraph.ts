import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { type GraphQLError, type GraphQLSchema, getOperationAST, parse } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import {
  callerCredentials,
  callerHeader,
  createCallerCheck,
  type Principal,
} from './auth/callers.js';
import { createTokenVerifier } from './auth/tokens.js';
import type { Caller } from './config.js';
import { badInput, unauthenticated, unknownCaller } from './errors.js';
import { maskErrors } from './graphql/error-format.js';
import { subscribe } from './graphql/subscribe.js';
import { HttpError, readGraphQLBody, sendJson, serveGraphQL } from './http/http.js';
import { joinWrites } from './http/joined-writes.js';
import type { ReadinessChecks } from './http/readiness.js';
import { mayLag, readsHeader } from './http/reads-header.js';
import { type HttpRoute, serveRoute } from './http/route.js';
import { startServer } from './http/server.js';
import type { Logger } from './observability/logger.js';
import { gaugeOf, type Registry } from './observability/metrics.js';
import {
  firstFieldOf,
  operationMetrics,
  resultMetrics,
} from './observability/operation-metrics.js';
import { requestTrace } from './observability/request-context.js';
import { type RequestLogConfig, requestLogOf } from './observability/request-log.js';
import type { Service } from './runtime/process.js';

/** What a request reads from: a replica may lag; `feeds` is the pool of subscriptions. */
export type ReadSource = 'primary' | 'replica' | 'feeds';

export interface SubgraphOptions<C extends Principal> {
  readonly name: Caller;
  readonly config: RequestLogConfig & {
    readonly HOST: string;
    readonly PORT: number;
    readonly OPS_PORT: number;
    readonly JWKS_URL: string;
  };
  /** the secret with which this process fetches the keys of access tokens */
  readonly ownSecret: string;
  /** the processes that may call this one, with their secrets */
  readonly callers: Partial<Record<Caller, string>>;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly schema: GraphQLSchema;
  context(principal: Principal, source: ReadSource): C;
  /** further JSON routes: path → its response; also open to `routeCallers` */
  readonly routes?: Readonly<Record<string, () => unknown>>;
  readonly routeCallers?: Partial<Record<Caller, string>>;
  /** routes beside GraphQL, for `callers` on behalf of a user */
  readonly httpRoutes?: readonly HttpRoute<C>[];
  readonly readiness: ReadinessChecks;
  readonly onStop: ReadonlyArray<() => Promise<unknown>>;
}

const bodyMaxBytes = 8 * 1024 * 1024;

/** Serves one subgraph over HTTP and graphql-ws, to its `callers` only. */
export async function startSubgraph<C extends Principal>(
  options: SubgraphOptions<C>,
): Promise<Service> {
  const apollo = new ApolloServer<C>({
    schema: options.schema,
    introspection: true,
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    formatError: maskErrors(options.logger),
    stopOnTerminationSignals: false,
    plugins: [
      // It would wrap the resolver of each field, to compute how long a response may be cached.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      operationMetrics(options.registry, firstFieldOf),
      resultMetrics(options.registry),
    ],
  });
  await apollo.start();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: bodyMaxBytes });
  const open = {
    name: 'holdfast_websocket_connections',
    help: 'Connections of the router for subscriptions.',
  };
  gaugeOf(options.registry, open, () => sockets.clients.size);
  const principalOf = createPrincipalCheck(options);
  const checkRouteCaller = createCallerCheck({ ...options.callers, ...options.routeCallers });
  const socketServer = serveSubscriptions(sockets, options, principalOf);

  return startServer({
    name: options.name,
    host: options.config.HOST,
    port: options.config.PORT,
    opsPort: options.config.OPS_PORT,
    logger: options.logger,
    registry: options.registry,
    requestLog: requestLogOf(options.config, 'debug'),
    handle: (request, response) =>
      route(options, apollo, { principalOf, checkRouteCaller }, request, response),
    readiness: options.readiness,
    onServer: (server) => {
      server.on('upgrade', (request, socket, head) => {
        sockets.handleUpgrade(request, socket, head, (ws) => {
          joinWrites(ws, socket);
          sockets.emit('connection', ws, request);
        });
      });
    },
    drain: async () => socketServer.dispose(),
    onStop: [() => apollo.stop(), ...options.onStop],
  });
}

type PrincipalCheck = (credentials: unknown, authorization?: string) => Promise<Principal>;

/** @returns a function that identifies caller and user; it throws UNKNOWN_CALLER */
function createPrincipalCheck<C extends Principal>(options: SubgraphOptions<C>): PrincipalCheck {
  const checkCaller = createCallerCheck(options.callers);
  const verifyToken = createTokenVerifier(options.config.JWKS_URL, {
    [callerHeader]: callerCredentials(options.name, options.ownSecret),
  });
  return async (credentials, authorization) => {
    const caller = checkCaller(credentials);
    if (!caller) throw unknownCaller();
    return { caller, identity: await verifyToken(authorization) };
  };
}

interface Checks {
  readonly principalOf: PrincipalCheck;
  readonly checkRouteCaller: ReturnType<typeof createCallerCheck>;
}

async function route<C extends Principal>(
  options: SubgraphOptions<C>,
  apollo: ApolloServer<C>,
  { principalOf, checkRouteCaller }: Checks,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? '/';
  const credentials = request.headers[callerHeader];
  const extra = options.routes?.[path];
  if (extra) {
    if (!checkRouteCaller(credentials)) throw unknownCaller();
    return sendJson(response, 200, extra());
  }
  const contextOf = async () => {
    const principal = await principalOf(credentials, request.headers.authorization);
    const isRead = mayBeOld(principal, request);
    const trace = requestTrace.getStore();
    if (trace) trace.isRead = isRead;
    return options.context(principal, isRead ? 'replica' : 'primary');
  };
  for (const httpRoute of options.httpRoutes ?? []) {
    const params = httpRoute.path.exec(path)?.slice(1);
    if (!params) continue;
    return serveRoute(httpRoute, { request, response, params }, contextOf, options.logger);
  }
  const context = await contextOf();
  if (path !== '/graphql') throw new HttpError(404, `Not found: ${path}`);
  const body = await readGraphQLBody(request, bodyMaxBytes);
  await serveGraphQL(apollo, request, response, { body, context });
}

/** True for the router's queries of clients only: other processes base decisions on what they read. */
const mayBeOld = ({ caller }: Principal, { headers }: IncomingMessage) =>
  caller === 'router' && headers[readsHeader] === mayLag;

const onlySubscriptions = badInput({
  query: 'must be one subscription; send queries and mutations over HTTP',
});

function isSubscription(query: string, operationName?: string | null): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === 'subscription';
  } catch {
    return true; // the executor reports the syntax error
  }
}

/**
 * graphql-ws: `connectionParams` contain what the headers contain over HTTP. The router has one connection
 * for all its users: `extensions.authorization` of a subscription identifies the user.
 */
function serveSubscriptions<C extends Principal>(
  sockets: WebSocketServer,
  options: SubgraphOptions<C>,
  principalOf: PrincipalCheck,
) {
  const formatError = maskErrors(options.logger);
  const mask = (error: GraphQLError) => formatError(error.toJSON(), error) as GraphQLError;
  const principals = new WeakMap<object, Principal>();
  return useServer<Record<string, unknown>>(
    {
      schema: options.schema,
      subscribe: subscribe as never,
      onSubscribe: async (connection, _id, payload) => {
        if (!isSubscription(payload.query, payload.operationName)) return [onlySubscriptions];
        const { authorization } = payload.extensions ?? {};
        if (authorization === undefined) return undefined;
        const credentials = connection.connectionParams?.[callerHeader];
        try {
          principals.set(payload, await principalOf(credentials, String(authorization)));
          return undefined;
        } catch (error) {
          return [error as GraphQLError];
        }
      },
      onNext: (_connection, _id, _payload, _args, result) => ({
        ...result,
        ...(result.errors && { errors: result.errors.map(mask) }),
      }),
      onError: (_connection, _id, _payload, errors) =>
        errors.map((error) => mask(error as GraphQLError)),
      onConnect: async (connection) => {
        const { [callerHeader]: credentials, authorization } = connection.connectionParams ?? {};
        const principal = await principalOf(credentials, authorization as string).catch(() => null);
        if (!principal) return false;
        principals.set(connection.extra, principal);
        return true;
      },
      context: (connection, _id, payload) => {
        const principal = principals.get(payload) ?? principals.get(connection.extra);
        if (!principal) throw unauthenticated();
        return options.context(principal, 'feeds');
      },
    },
    sockets,
  );
}
