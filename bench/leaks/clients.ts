import { connect } from 'node:net';
import WebSocket from 'ws';

const subscription = (sku: string) => `subscription { stockChanged(skus: ["${sku}"]) {
  available version variant { sku } shop { id } } }`;
const eventMaxMs = 10_000;
const destroyMaxMs = 30;

/**
 * Subscribes and unsubscribes over a few WebSockets: every second time after the first event, else at once.
 *
 * @returns the number of subscriptions that received an event
 */
export async function subscribeAndLeave(
  url: string,
  skus: readonly string[],
  rounds: number,
  sockets: number,
): Promise<number> {
  let left = rounds;
  let received = 0;
  const client = async () => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), 'graphql-transport-ws');
    const next = new Map<string, (type: string) => void>();
    socket.on('message', (message) => {
      const { id = 'connection', type } = JSON.parse(String(message));
      if (type === 'ping') socket.send('{"type":"pong"}');
      else next.get(id)?.(type);
    });
    const typeOf = (id: string) =>
      new Promise<string>((resolve) => {
        const timer = setTimeout(resolve, eventMaxMs, 'none');
        next.set(id, (type) => {
          clearTimeout(timer);
          resolve(type);
        });
      });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const acknowledged = typeOf('connection');
    socket.send('{"type":"connection_init"}');
    await acknowledged;
    while (left-- > 0) {
      const id = `${left}`;
      const query = subscription(skus[left % skus.length] as string);
      const first = left % 2 === 0 ? typeOf(id) : undefined;
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query } }));
      if ((await first) === 'next') received += 1;
      socket.send(JSON.stringify({ id, type: 'complete' }));
      next.delete(id);
      // An await that reads what arrived meanwhile, as the other rounds do.
      if (!first) await new Promise((resolve) => setImmediate(resolve));
    }
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
  };
  await Promise.all(Array.from({ length: sockets }, client));
  return received;
}

/** Opens SSE streams by GET, `atOnce` at a time, and destroys their sockets at random moments. */
export async function abortStreams(
  url: string,
  skus: readonly string[],
  rounds: number,
  atOnce: number,
): Promise<void> {
  const { hostname, port, pathname } = new URL(url);
  let left = rounds;
  const client = async () => {
    while (left-- > 0) {
      const query = encodeURIComponent(subscription(skus[left % skus.length] as string));
      const socket = connect(Number(port), hostname);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {}).resume();
      const headers = [`host: ${hostname}`, 'accept: text/event-stream'];
      socket.write(`GET ${pathname}?query=${query} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      setTimeout(() => socket.destroy(), Math.random() * destroyMaxMs);
      await closed;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
}
