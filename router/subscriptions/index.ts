import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ApolloGateway } from '@apollo/gateway';
import type { ApolloServer } from '@apollo/server';
import type { GraphQLFormattedError } from 'graphql';
import type { Redis } from 'ioredis';
import { decodeJwt } from 'jose';
import { callerCredentials } from '../../subgraphs/shared/auth/callers.js';
import type { Identity } from '../../subgraphs/shared/auth/tokens.js';
import { DomainError, tryAgain } from '../../subgraphs/shared/errors.js';
import { codeOfThrown, HttpError, sendJson } from '../../subgraphs/shared/http/http.js';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import { gaugeOf, type Registry } from '../../subgraphs/shared/observability/metrics.js';
import { errorCounter } from '../../subgraphs/shared/observability/operation-metrics.js';
import type { Admission } from '../admission/admission.js';
import type { RouterConfig } from '../config.js';
import type { RouterContext } from '../context.js';
import type { Services } from '../execution/run.js';
import { clientAddress } from '../http/client-address.js';
import { isOriginAllowed } from '../http/web-headers.js';
import type { ConsumeCost, ConsumeLimit } from '../limits/rate-limits.js';
import type { SupergraphFile } from '../supergraph/supergraph-file.js';
import { StreamEnd } from './feed/client-stream.js';
import { errorFormatter, sessionEnded, shuttingDown } from './feed/format-errors.js';
import { type Client, createHub, type Hub } from './feed/hub.js';
import { createOpenCounts } from './feed/open-counts.js';
import { createPlanner, type Planner } from './feed/plan.js';
import { connectUpstream, type Upstream } from './feed/upstream.js';
import { EndedSessions } from './sessions/ended-sessions.js';
import { receiveEndedSessions } from './sessions/session-messages.js';
import {
  acceptOperation,
  conditionalRootFieldRefused,
  hasConditionalRootField,
} from './transport/accept.js';
import { createHttpStreams, type HttpTransport, transportOf } from './transport/http-stream.js';
import { readOperation, readQuery } from './transport/read-operation.js';
import { serveWebSockets } from './transport/websocket.js';

// More at once would delay each, since the subgraphs are no faster.
const completionsMax = 128;

export interface SubscriptionsOptions {
  readonly config: RouterConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly gateway: ApolloGateway;
  readonly supergraph: SupergraphFile;
  /** each subgraph for the fields of events, separate from those of queries */
  readonly services: Services;
  /** HTTP URL of each subgraph */
  readonly urls: ReadonlyMap<string, string>;
  readonly consumeLimit: ConsumeLimit;
  readonly consumeCost: ConsumeCost;
  /** connection that receives ended sessions; undefined without a Redis for them */
  readonly events: Redis | undefined;
  formatError(formatted: GraphQLFormattedError, thrown: unknown): GraphQLFormattedError;
  verifyToken(authorization: string | undefined): Promise<Identity | null>;
}

export interface Subscriptions {
  /** Handles a request for a stream. @returns false if the request is for an ordinary response */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    body: unknown,
    context: RouterContext,
  ): Promise<boolean>;
  /** Upgrades a request to a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all subscriptions with the error that the schema changed; clients subscribe again. */
  reload(): void;
  /** Ends all connections; clients are asked to reconnect. */
  stop(): Promise<void>;
}

/**
 * Federated subscriptions. Call this before the gateway is loaded: it listens for the supergraph, and
 * reloads when the supergraph changes. Call the returned function after the gateway has loaded.
 *
 * @returns a function that throws if no planner could be created from the supergraph
 */
export function createSubscriptions(
  options: SubscriptionsOptions,
): (apollo: ApolloServer<RouterContext>, admission: Admission) => Subscriptions {
  const { config, logger, gateway, supergraph, services, urls, consumeLimit } = options;
  const errors = errorCounter(options.registry);
  const countError = (code: string) => errors.inc({ operation: 'subscription', code });
  const format = errorFormatter(options.formatError, countError);
  const credentials = callerCredentials('router', config.ROUTER_SECRET);
  const upstreams = new Map<string, Upstream>();
  const streams = createHttpStreams(() => new StreamEnd(format([shuttingDown()])));
  const endedSessions = new EndedSessions();
  let planner: Planner | undefined;
  let stopping = false;

  const hub = createHub({
    format,
    perClientMax: config.SUBSCRIPTIONS_PER_CLIENT_MAX,
    itemsPerClientMax: config.SUBSCRIPTION_ITEMS_PER_CLIENT_MAX,
    totalMax: config.SUBSCRIPTIONS_MAX,
    bufferMax: config.SUBSCRIPTION_BUFFER_MAX,
    completionsMax,
    completionMaxMs: config.OPERATION_TIMEOUT_MS,
    async consumeCost({ address, identity }, cost) {
      await options.consumeCost('ipCost', address, cost);
      if (identity) await options.consumeCost('userCost', identity.id, cost);
    },
    hasEnded: (client) => endedSessions.hasEnded(client),
    planner: () => planner as Planner,
    upstreamOf(name) {
      const known = upstreams.get(name);
      if (known) return known;
      const upstream = connectUpstream(name, urls.get(name) as string, credentials, logger);
      upstreams.set(name, upstream);
      return upstream;
    },
  });
  const closeUpstreams = async () => {
    const all = [...upstreams.values()];
    upstreams.clear();
    await Promise.all(all.map((upstream) => upstream.close()));
  };

  let updatePlanner = () => {};
  gateway.onSchemaLoadOrUpdate(({ apiSchema: schema, coreSupergraphSdl: supergraphSdl }) => {
    updatePlanner = () => {
      const isFirst = planner === undefined;
      const facts = supergraph.facts();
      planner = createPlanner({ supergraphSdl, schema, services, facts });
      if (!isFirst) reload();
    };
    updatePlanner();
  });
  supergraph.onFacts(() => updatePlanner());
  function reload() {
    hub.reload();
    void closeUpstreams();
  }

  const openSockets = createOpenCounts(
    'Connection',
    config.SUBSCRIPTIONS_PER_CLIENT_MAX,
    config.SUBSCRIPTIONS_MAX,
  );
  const clientOf = async (authorization: string | undefined, address: string): Promise<Client> => {
    const identity = await options.verifyToken(authorization);
    const client = { identity, authorization, address, expiresAtMs: expiryOf(authorization) };
    if (endedSessions.hasEnded(client)) throw sessionEnded();
    return client;
  };
  registerGauges(options.registry, hub, () => openSockets.total, upstreams);

  return (apollo, admission) => {
    // The gateway has logged the reason.
    if (!planner) throw new Error('no subscription planner for this supergraph');
    const webSockets = serveWebSockets({
      apollo,
      admission,
      hub,
      consumeLimit,
      openSockets,
      perConnectionMax: config.SUBSCRIPTIONS_PER_CONNECTION_MAX,
      operationMaxMs: config.OPERATION_TIMEOUT_MS,
      format,
      clientOf,
      hasEnded: (client) => endedSessions.hasEnded(client),
    });

    if (options.events) {
      receiveEndedSessions(options.events, (changed) => {
        endedSessions.add(changed);
        hub.endSessions(changed.sessionIds);
        webSockets.endSessions(changed.sessionIds);
      });
    }

    async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
      if (stopping) throw tryAgain('The server is shutting down. Please reconnect.');
      const path = request.url?.split('?', 1)[0];
      if (path !== '/graphql') throw new HttpError(404, `Not found: ${path}`);
      if (!isOriginAllowed(request, config.CORS_ORIGINS)) {
        throw new HttpError(403, 'Connections from this origin are not allowed.');
      }
      const address = clientAddress(request, config.TRUST_PROXY);
      await consumeLimit('ip', address);
      await webSockets.upgrade(request, socket, head, address);
    }

    return {
      reload,
      async serve(request, response, body, context) {
        const transport = transportOf(request, body);
        if (!transport) {
          if (!hasConditionalRootField(readQuery(request, body))) return false;
          const { status, result } = conditionalRootFieldRefused();
          sendJson(response, status, result);
          return true;
        }
        if (stopping) throw tryAgain('The server is shutting down. Please reconnect.');
        const operation = readOperation(request, body);
        const client = await clientOf(context.authorization, context.address);
        const outcome = await acceptOperation(apollo, operation, context);
        if (outcome.kind === 'subscription') {
          // It stays open; subscriptions have limits of their own.
          context.admitted?.end();
          const stream = hub.open(outcome.accepted, client);
          await streams.write(transport, response, stream);
          return true;
        }
        await sendResponse(transport, response, outcome);
        return true;
      },
      upgrade(request, socket, head) {
        socket.on('error', () => socket.destroy());
        upgrade(request, socket, head).catch((error) => {
          countError(codeOfThrown(error));
          refuseUpgrade(socket, error, logger);
        });
      },
      async stop() {
        stopping = true;
        await Promise.all([webSockets.stop(), streams.stop()]);
        hub.stop();
        await closeUpstreams();
      },
    };
  };

  /** Sends the result of a query or mutation, or errors. SSE clients can read only a stream. */
  async function sendResponse(
    transport: HttpTransport,
    response: ServerResponse,
    {
      result,
      status,
      headers,
    }: Extract<Awaited<ReturnType<typeof acceptOperation>>, { kind: 'response' }>,
  ): Promise<void> {
    for (const [name, value] of headers) response.setHeader(name, value);
    if (transport === 'sse') await streams.write(transport, response, [result]);
    else sendJson(response, status, result);
  }
}

/** When a verified token expires, Unix time in milliseconds; Infinity if it does not, or without one. */
function expiryOf(authorization: string | undefined): number {
  const claims = authorization ? decodeJwt(authorization.replace(/^Bearer /i, '')) : {};
  return (claims.exp ?? Number.POSITIVE_INFINITY) * 1000;
}

function refuseUpgrade(socket: Duplex, error: unknown, logger: Logger): void {
  const status = upgradeStatus(error);
  if (status === 500) logger.error({ err: error }, 'WebSocket upgrade failed');
  socket.end(`HTTP/1.1 ${status} \r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

function upgradeStatus(error: unknown): number {
  if (error instanceof HttpError) return error.status;
  if (!(error instanceof DomainError)) return 500;
  return error.extensions.code === 'RATE_LIMITED' ? 429 : 503;
}

function registerGauges(
  registry: Registry,
  { counts, completions }: Pick<Hub, 'counts' | 'completions'>,
  openSockets: () => number,
  upstreams: ReadonlyMap<string, Upstream>,
): void {
  const gauge = (name: string, help: string, read: () => number) =>
    gaugeOf(registry, { name: `holdfast_${name}`, help }, read);
  gauge('subscriptions_open', 'Open subscriptions of clients.', () => counts().subscriptions);
  gauge(
    'subscription_upstreams',
    'Open subscriptions at subgraphs; many clients may share one.',
    () => counts().upstreams,
  );
  gauge('subscription_connections', 'Open WebSockets to subgraphs.', () => {
    return [...upstreams.values()].filter((upstream) => upstream.isOpen()).length;
  });
  gauge(
    'subscription_completions',
    'Events that are being completed with fields of other subgraphs.',
    () => completions().running,
  );
  gauge(
    'subscription_feeds_waiting',
    'Upstreams with events that wait to be completed.',
    () => completions().waiting,
  );
  gauge('websockets_open', 'Open WebSockets of clients.', openSockets);
}
