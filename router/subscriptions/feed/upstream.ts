import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionResult } from 'graphql';
import { type Client, createClient, type SubscribePayload } from 'graphql-ws';
import WebSocket from 'ws';
import { callerHeader } from '../../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../../subgraphs/shared/observability/logger.js';

const pingEveryMs = 10_000;
const pongMaxMs = 10_000;
const handshakeMaxMs = 5000;
const firstRetryMs = 100;
const retryMaxMs = 1000;
const lingerMs = 1000;
const messageMaxBytes = 8 * 1024 * 1024;

class SubgraphSocket extends WebSocket {
  constructor(url: string, protocols?: string | string[]) {
    super(url, protocols, { maxPayload: messageMaxBytes, handshakeTimeout: handshakeMaxMs });
    // graphql-ws removes its listeners before the socket is closed, and an error without a listener is fatal.
    this.on('error', () => {});
  }
}

export interface UpstreamSink {
  next(event: ExecutionResult): void;
  /** the connection was restored: events may be missing, and a snapshot follows if the subscription has one */
  reconnected(): void;
  /** @param reason errors of the subgraph, or why the connection was closed */
  error(reason: unknown): void;
  complete(): void;
}

/** The only graphql-ws connection to a subgraph, open while it carries a subscription. */
export interface Upstream {
  /** @param payload is read at each reconnection */
  subscribe(payload: SubscribePayload, sink: UpstreamSink): () => void;
  isOpen(): boolean;
  close(): Promise<void>;
}

/**
 * @param url HTTP URL of the subgraph's GraphQL endpoint; WebSockets use the same host and path
 * @param credentials authenticate the router at the subgraph
 */
export function connectUpstream(
  name: string,
  url: string,
  credentials: string,
  logger: Logger,
): Upstream {
  const sinks = new Set<UpstreamSink>();
  let socket: WebSocket | undefined;
  let pongTimer: NodeJS.Timeout | undefined;
  const stopPongTimer = () => clearTimeout(pongTimer);
  const client: Client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: SubgraphSocket,
    connectionParams: { [callerHeader]: credentials },
    lazy: true,
    lazyCloseTimeout: lingerMs,
    keepAlive: pingEveryMs,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (retries) => {
      const ms = Math.min(retryMaxMs, firstRetryMs * 2 ** retries);
      return sleep(ms / 2 + (Math.random() * ms) / 2);
    },
    on: {
      connected: (opened, _payload, wasRetry) => {
        socket = opened as WebSocket;
        if (!wasRetry) return;
        logger.info({ subgraph: name }, 'subscriptions reconnected');
        for (const sink of sinks) sink.reconnected();
      },
      closed: (event) => {
        stopPongTimer();
        socket = undefined;
        const { code } = event as { code?: number };
        if (sinks.size > 0) logger.warn({ subgraph: name, code }, 'subscriptions disconnected');
      },
      ping: (received) => {
        if (received) return;
        pongTimer = setTimeout(() => client.terminate(), pongMaxMs);
      },
      pong: (received) => {
        if (received) stopPongTimer();
      },
    },
  });
  return {
    subscribe(payload, sink) {
      sinks.add(sink);
      const stop = client.subscribe(payload, {
        next: (event) => sink.next(event as ExecutionResult),
        error: (reason) => {
          sinks.delete(sink);
          sink.error(reason);
        },
        complete: () => {
          if (sinks.delete(sink)) sink.complete();
        },
      });
      return () => {
        sinks.delete(sink);
        stop();
      };
    },
    isOpen: () => socket !== undefined,
    async close() {
      stopPongTimer();
      const disposed = Promise.resolve(client.dispose()).catch(() => {});
      if (!socket) client.terminate();
      await disposed;
    },
  };
}
