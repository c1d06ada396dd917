import WebSocket from 'ws';

const eventMaxMs = 10_000;
const query = `subscription ($skus: [String!]) { stockChanged(skus: $skus) {
  available version variant { sku } shop { id } } }`;

export interface Watcher {
  readonly url: string;
  readonly skus: readonly string[];
  readonly stayMs: number;
  /** ends the stay when it is aborted */
  readonly closing: AbortSignal;
  /** whether it breaks the connection without leaving */
  readonly isAbrupt: boolean;
  /** called with what resolves at the first event */
  firstEvent(opened: Promise<void>): Promise<void>;
}

/** Watches the stock of a few variants over a WebSocket of its own. */
export async function watchStock(watcher: Watcher): Promise<void> {
  const { url, skus, stayMs, closing, isAbrupt } = watcher;
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const opened = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no event of the stock')), eventMaxMs);
    const settle = (end: () => void) => {
      clearTimeout(timer);
      end();
    };
    socket.on('error', (error) => settle(() => reject(error)));
    socket.on('close', () => settle(() => reject(new Error('closed by the router'))));
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (message) => {
      const { type, payload } = JSON.parse(String(message));
      if (type === 'connection_ack') {
        const subscribe = { id: '1', type: 'subscribe', payload: { query, variables: { skus } } };
        socket.send(JSON.stringify(subscribe));
      } else if (type === 'ping') socket.send('{"type":"pong"}');
      else if (type === 'error' || payload?.errors) {
        settle(() => reject(new Error(String(message))));
      } else if (type === 'next') settle(resolve);
    });
  });
  try {
    await watcher.firstEvent(opened);
    await stay(stayMs, closing);
  } finally {
    if (isAbrupt) socket.terminate();
    else {
      if (socket.readyState === WebSocket.OPEN) socket.send('{"id":"1","type":"complete"}');
      socket.close();
    }
    await closed;
  }
}

function stay(ms: number, closing: AbortSignal): Promise<void> {
  if (closing.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      closing.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    closing.addEventListener('abort', end);
  });
}
