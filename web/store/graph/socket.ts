import { createClient, type Sink, type SubscribePayload } from 'graphql-ws';
import { leaveChannel, reportConnected, reportLost } from './connection.js';

export interface Socket {
  /** @returns a function that ends the subscription */
  subscribe(payload: SubscribePayload, sink: Sink): () => void;
  /** Closes the connection; open subscriptions continue over a new one. */
  reconnect(): void;
}

export interface SocketOptions {
  readonly channel: 'stock' | 'orders';
  /** access token for a connection, or null for none; it must not throw */
  tokenOf(): Promise<string | null>;
  /** called if the router refuses the token of a connection */
  onForbidden?(): void;
}

const keepAliveMs = 10_000;
const pongMaxMs = 5000;
const retryMaxMs = 4000;
const lazyCloseMs = 3000;
const forbidden = 4403;
const terminated = 4499;
const noPong = 4408;

/** A WebSocket for subscriptions, open while there are any, which connects again until it succeeds. */
export function createSocket({ channel, tokenOf, onForbidden }: SocketOptions): Socket {
  const url = new URL('/graphql', window.location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  let open = 0;
  let webSocket: WebSocket | undefined;
  let pongTimer: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: url.href,
    lazyCloseTimeout: lazyCloseMs,
    keepAlive: keepAliveMs,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => sleep(Math.random() * Math.min(retryMaxMs, 250 * 2 ** attempt)),
    async connectionParams() {
      const token = await tokenOf();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
    on: {
      opened: (opened) => {
        webSocket = opened as WebSocket;
      },
      connected: () => reportConnected(channel),
      ping: (isReceived) => {
        // Nobody else closes a connection whose other end is gone.
        if (!isReceived) pongTimer = setTimeout(() => webSocket?.close(noPong), pongMaxMs);
      },
      pong: (isReceived) => {
        if (isReceived) clearTimeout(pongTimer);
      },
      closed: (event) => {
        clearTimeout(pongTimer);
        const { code } = event as CloseEvent;
        if (code === forbidden) onForbidden?.();
        else if (code !== terminated && open > 0) reportLost(channel);
      },
    },
  });
  return {
    subscribe(payload, sink) {
      const stop = client.subscribe(payload, sink);
      open += 1;
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        open -= 1;
        stop();
        if (open === 0) leaveChannel(channel);
      };
    },
    reconnect: () => client.terminate(),
  };
}

export const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
