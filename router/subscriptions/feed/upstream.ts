import type { ExecutionResult } from 'graphql';
import { type Client, CloseCode, createClient, type SubscribePayload } from 'graphql-ws';
import WebSocket from 'ws';
import { callerHeader } from '../../../subgraphs/shared/auth/callers.js';
import type { Logger } from '../../../subgraphs/shared/observability/logger.js';
import { Resubscriber } from './resubscriber.js';

const pingEveryMs = 10_000;
// A subgraph that accepts a connection and says nothing must not delay all subscriptions.
const acknowledgedWithinMs = 5000;
const pongMaxMs = 10_000;
const handshakeMaxMs = 5000;
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
  /** the connection was restored: events may be missing; a snapshot, if the subscription has one, begins now */
  reconnected(): void;
  /** @param reason errors of the subgraph, or why the connection was closed */
  error(reason: unknown): void;
  complete(): void;
}

interface Subscription {
  readonly payload: SubscribePayload;
  readonly sink: UpstreamSink;
  /** undefined while it waits to be opened */
  stop?: (() => void) | undefined;
  wasLost?: boolean;
}

// The subgraph refuses what was sent: it would refuse it again.
const fatalCodes: readonly number[] = [
  CloseCode.InternalServerError,
  CloseCode.InternalClientError,
  CloseCode.BadRequest,
  CloseCode.BadResponse,
  CloseCode.Unauthorized,
  CloseCode.SubprotocolNotAcceptable,
  CloseCode.SubscriberAlreadyExists,
  CloseCode.TooManyInitialisationRequests,
];
const lostCodes: readonly number[] = [1000, 1001, 1005, 1006, 1012, 1013, 1014];

function isFatal(reason: unknown): boolean {
  if (Array.isArray(reason)) return true;
  const { code = 1006 } = reason as { code?: number };
  return fatalCodes.includes(code) || (code < 2000 && !lostCodes.includes(code));
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
  const subscriptions = new Set<Subscription>();
  const resubscriber = new Resubscriber<Subscription>(open);
  let socket: WebSocket | undefined;
  let isReconnecting = false;
  let pongTimer: NodeJS.Timeout | undefined;
  const stopPongTimer = () => clearTimeout(pongTimer);
  const client: Client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: SubgraphSocket,
    connectionParams: { [callerHeader]: credentials },
    lazy: true,
    lazyCloseTimeout: lingerMs,
    keepAlive: pingEveryMs,
    connectionAckWaitTimeout: acknowledgedWithinMs,
    // It would open all subscriptions again at the same moment.
    retryAttempts: 0,
    on: {
      connected: (opened) => {
        socket = opened as WebSocket;
        if (isReconnecting) logger.info({ subgraph: name }, 'subscriptions reconnected');
        isReconnecting = false;
        resubscriber.connected();
      },
      closed: (event) => {
        stopPongTimer();
        socket = undefined;
        if (isFatal(event)) return; // each gets it as an error
        const { code } = event as { code?: number };
        const lost = [...subscriptions].filter(({ stop }) => stop);
        if (lost.length > 0) logger.warn({ subgraph: name, code }, 'subscriptions disconnected');
        for (const each of lost) lose(each);
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

  function open(subscription: Subscription): void {
    const { payload, sink } = subscription;
    // After the connection is lost, the client ends each by an error or by completion.
    const isCurrent = () => subscriptions.has(subscription) && subscription.stop === stop;
    const stop = client.subscribe(payload, {
      next: (event) => {
        // Not when it is opened: that may fail many times.
        if (subscription.wasLost) sink.reconnected();
        subscription.wasLost = false;
        sink.next(event as ExecutionResult);
      },
      error: (reason) => {
        if (!isCurrent()) return;
        if (!isFatal(reason)) return lose(subscription);
        subscriptions.delete(subscription);
        sink.error(reason);
      },
      complete: () => {
        if (!isCurrent()) return;
        subscriptions.delete(subscription);
        sink.complete();
      },
    });
    subscription.stop = stop;
  }

  function lose(subscription: Subscription): void {
    const { stop } = subscription;
    subscription.stop = undefined;
    subscription.wasLost = true;
    stop?.();
    isReconnecting = true;
    resubscriber.lose(subscription);
  }

  return {
    subscribe(payload, sink) {
      const subscription: Subscription = { payload, sink };
      subscriptions.add(subscription);
      resubscriber.add(subscription);
      return () => {
        subscriptions.delete(subscription);
        resubscriber.remove(subscription);
        subscription.stop?.();
      };
    },
    isOpen: () => socket !== undefined,
    async close() {
      stopPongTimer();
      subscriptions.clear();
      resubscriber.close();
      const disposed = Promise.resolve(client.dispose()).catch(() => {});
      if (!socket) client.terminate();
      await disposed;
    },
  };
}
