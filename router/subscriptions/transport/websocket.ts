import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApolloServer } from '@apollo/server';
import { GraphQLError, type GraphQLFormattedError, parse } from 'graphql';
import { CloseCode, type Context, type SubscribePayload } from 'graphql-ws';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { asHeader, isBearer } from '../../../subgraphs/shared/auth/tokens.js';
import { isClosed, whenClosed } from '../../../subgraphs/shared/http/when-closed.js';
import { newId } from '../../../subgraphs/shared/ids.js';
import { requestTrace } from '../../../subgraphs/shared/observability/request-context.js';
import { telemetry } from '../../../subgraphs/shared/observability/telemetry/telemetry.js';
import { type Admission, overloaded } from '../../admission/admission.js';
import { textOf } from '../../admission/operation-class.js';
import type { Admitted, RouterContext } from '../../context.js';
import { createCharge } from '../../limits/charge.js';
import type { ConsumeLimit } from '../../limits/rate-limits.js';
import type { Result } from '../feed/client-stream.js';
import { type FormatErrors, tokenExpired, tooMany } from '../feed/format-errors.js';
import type { Client, Hub } from '../feed/hub.js';
import type { OpenCounts } from '../feed/open-counts.js';
import { acceptOperation } from './accept.js';
import { Connection } from './connection.js';
import { formatStreamErrors } from './stream-errors.js';

const pingEveryMs = 12_000;
const messageMaxBytes = 100_000;
const reasonMaxBytes = 123; // RFC 6455, section 5.5
const unsentMaxBytes = 1024 * 1024;
// At shutdown, running operations have this long to finish before their connection is closed.
const finishMaxMs = 5000;
const closeMaxMs = 1000;
const pollMs = 20;

export interface WebSocketOptions {
  readonly apollo: ApolloServer<RouterContext>;
  readonly admission: Admission;
  readonly hub: Hub;
  readonly consumeLimit: ConsumeLimit;
  readonly openSockets: OpenCounts;
  readonly perConnectionMax: number;
  /** timeout of a query or mutation */
  readonly operationMaxMs: number;
  readonly format: FormatErrors;
  /** The client of an Authorization header. @throws `UNAUTHENTICATED` */
  clientOf(authorization: string | undefined, address: string): Promise<Client>;
  /** whether the session of a client has ended, or its user has another role */
  hasEnded(client: Client): boolean;
}

const placeholderDocument = parse('{ __typename }');
/** No response: the connection is being closed, and the client repeats the operation over a new one. */
const noResponse = () => new Promise<never>(() => {});
const goingAway = { code: 1001, reason: 'Going away' };

/**
 * Serves graphql-ws: subscriptions, queries and mutations. The token is `authorization` in `connectionParams`,
 * in the format of the HTTP header, and applies to the whole connection: when it expires, the subscriptions
 * end and the connection is closed; the client reconnects with another token.
 */
export function serveWebSockets(options: WebSocketOptions) {
  const { apollo, hub, consumeLimit, format } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: messageMaxBytes,
    clientTracking: true,
  });
  const connections = new WeakMap<WebSocket, Connection>();
  let stopping = false;
  const connectionOf = ({ extra: { socket } }: Context<Params, Extra>) =>
    connections.get(socket as WebSocket) as Connection;
  const disposable = useServer<Params>(
    {
      onConnect: async (context) => {
        const connection = connectionOf(context);
        const socket = context.extra.socket as WebSocket;
        const { connectionParams } = context;
        const authorization = connectionParams?.authorization ?? connectionParams?.Authorization;
        try {
          const header = asHeader(authorization);
          connection.client = await options.clientOf(header, connection.address);
        } catch (error) {
          refuseConnection(socket, authorization, format([error])[0]);
          return false;
        }
        connection.closeAt(connection.client.expiresAtMs);
        return true;
      },
      onSubscribe: (context, id, payload) => {
        const connection = connectionOf(context);
        if (!connection.start(id)) return noResponse();
        const requestId = newId();
        const work = () => accept(connection, id, payload, requestId);
        return requestTrace.run(
          { requestId },
          () => telemetry()?.inSpan('graphql-ws', work) ?? work(),
        );
      },
      execute: ({ contextValue }) => contextValue as never,
      subscribe: ({ contextValue }) => contextValue as never,
      onNext: (_context, _id, _payload, _args, result) => result as never,
      onError: (_context, _id, _payload, errors) => formatStreamErrors(errors, format),
      // Called directly before the client receives the result.
      onComplete: (context, id) => connectionOf(context).end(id),
    },
    server,
    pingEveryMs,
  );

  async function accept(
    connection: Connection,
    id: string,
    payload: SubscribePayload,
    requestId: string,
  ) {
    const client = connection.client as Client;
    let admitted: Admitted | null = null;
    try {
      if (client.expiresAtMs <= Date.now()) throw tokenExpired();
      if (connection.size > options.perConnectionMax) {
        throw tooMany('Operation limit of this connection reached.');
      }
      const { authorization, address, identity } = client;
      await consumeLimit('ip', address, 0);
      if (identity) await consumeLimit('user', identity.id, 0);
      const charge = createCharge(consumeLimit, address, identity?.id);
      admitted = options.admission.admit(textOf(payload));
      if (!admitted) {
        void charge().catch(() => {});
        throw overloaded();
      }
      const deadlineMs = performance.now() + options.operationMaxMs;
      const context = { requestId, authorization, address, deadlineMs, charge, admitted };
      const outcome = await acceptOperation(apollo, payload, context);
      await charge(); // unless it was refused before
      if (outcome.kind === 'response') {
        const response = executionArguments(outcome.result);
        // graphql-ws sends errors alone without calling `onComplete`.
        if (Array.isArray(response)) connection.end(id);
        return response;
      }
      const { document, operationName = null } = outcome.accepted;
      const contextValue = hub.open(outcome.accepted, client);
      connection.attach(id, contextValue);
      return { schema: null as never, document, operationName, contextValue };
    } catch (error) {
      connection.end(id);
      return format([error]).map(asGraphQLError);
    } finally {
      admitted?.end();
    }
  }

  return {
    server,
    /** @param address rate limit key of the client address */
    async upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer, address: string) {
      if (isClosed(duplex)) return;
      whenClosed(duplex, options.openSockets.acquire(address));
      server.handleUpgrade(request, duplex, head, (socket) => {
        const connection = new Connection(socket, address);
        connections.set(socket, connection);
        if (stopping) connection.closeAfterResponses(goingAway);
        const terminateIfBacklogged = () => {
          if (socket.bufferedAmount > unsentMaxBytes) socket.terminate();
        };
        socket.on('message', terminateIfBacklogged).on('ping', terminateIfBacklogged);
        server.emit('connection', socket, request);
      });
    },
    /**
     * Closes those connections of sessions whose client `hasEnded`, each after the results of its queries and
     * mutations.
     */
    endSessions(sessionIds: readonly string[]): void {
      const changed = new Set<string | undefined>(sessionIds);
      for (const socket of server.clients) {
        const connection = connections.get(socket);
        const client = connection?.client;
        if (!client || !changed.has(client.identity?.sessionId)) continue;
        if (options.hasEnded(client)) connection.closeSoon('The session has ended');
      }
    },
    /** Accepts no new operation, and closes each connection after the results of its queries and mutations. */
    async stop() {
      stopping = true;
      for (const socket of server.clients) connections.get(socket)?.closeAfterResponses(goingAway);
      const deadlineMs = performance.now() + finishMaxMs;
      while (server.clients.size > 0 && performance.now() < deadlineMs) await sleep(pollMs);
      const terminateTimer = setTimeout(() => {
        for (const socket of server.clients) socket.terminate();
      }, closeMaxMs);
      await disposable.dispose();
      clearTimeout(terminateTimer);
    },
  };
}

type Params = Record<string, unknown>;

/** The result of a query or mutation, as arguments for graphql-ws: it has been executed already. */
function executionArguments(result: Result) {
  if (result.data === undefined && result.errors) return result.errors.map(asGraphQLError);
  return { schema: null as never, document: placeholderDocument, contextValue: result };
}

/** Closes a connection with the reason. graphql-ws clients repeat the attempt after 4403, not after 4401. */
function refuseConnection(socket: WebSocket, token: unknown, error?: GraphQLFormattedError): void {
  if (error?.extensions?.code !== 'UNAUTHENTICATED') {
    socket.close(1013, 'Try again later');
    return;
  }
  // Another token may be accepted. What is not a token is a mistake of the program, or of whoever typed it.
  const code = isBearer(token) ? CloseCode.Forbidden : CloseCode.Unauthorized;
  const isTooLong = Buffer.byteLength(error.message) > reasonMaxBytes;
  socket.close(code, isTooLong ? 'The access token is not valid.' : error.message);
}

const asGraphQLError = ({ message, ...rest }: GraphQLFormattedError) => {
  const { locations: _, extensions, path } = rest as GraphQLFormattedError;
  return new GraphQLError(message, { ...(path && { path }), ...(extensions && { extensions }) });
};
