import WebSocket from 'ws';

/**
 * The program of the spectators: WebSockets with many subscriptions each, in a process of its own. It reads
 * no more of a message than it has to, as all clients and the system share the machine's cores.
 */
export interface Watch {
  readonly url: string;
  readonly query: string;
  /** client → its subscriptions */
  readonly clients: readonly (readonly Watched[])[];
}
export interface Watched {
  readonly variables: object;
  /** events that are the snapshot */
  readonly snapshotEvents: number;
}
export interface Seen {
  /** subscriptions that received their whole snapshot */
  readonly complete: number;
  readonly events: number;
  /** subscriptions that the router ended, and errors in events */
  readonly ended: number;
  readonly errors: number;
  readonly lastError: string;
}
export type Command = { readonly open: Watch } | { readonly close: true };

const reopenMinMs = 1000;
const reopenMaxMs = 5000;
const reportEveryMs = 200;

const seen = { complete: 0, events: 0, ended: 0, errors: 0, lastError: '' };
let sockets: WebSocket[] = [];
let closing = false;

function open({ url, query, clients }: Watch): void {
  for (const [n, subscriptions] of clients.entries()) {
    connect({ url, query, address: `10.0.0.${n}`, subscriptions });
  }
}

const someTimeMs = () => reopenMinMs + Math.random() * (reopenMaxMs - reopenMinMs);

interface Client {
  readonly url: string;
  readonly query: string;
  readonly address: string;
  readonly subscriptions: readonly Watched[];
}

function connect(client: Client): void {
  const { url, query, address, subscriptions } = client;
  const socket = new WebSocket(url, 'graphql-transport-ws', {
    headers: { 'x-forwarded-for': address },
  });
  sockets.push(socket);
  const missing = subscriptions.map(({ snapshotEvents }) => snapshotEvents);
  const subscribe = (n: number) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    const payload = { query, variables: subscriptions[n]?.variables };
    socket.send(JSON.stringify({ id: `${n}`, type: 'subscribe', payload }));
  };
  socket.on('open', () => socket.send('{"type":"connection_init"}'));
  socket.on('message', (message) => {
    const text = String(message);
    const [, id, type] = /^\{"id":"(\d+)","type":"(\w+)"/.exec(text) ?? other(text);
    if (type === 'connection_ack') for (const n of subscriptions.keys()) subscribe(n);
    else if (type === 'ping') socket.send('{"type":"pong"}');
    else if (type === 'next') {
      seen.events += 1;
      if (text.includes('"errors":[')) noteError(text);
      const n = Number(id);
      missing[n] = (missing[n] as number) - 1;
      if (missing[n] === 0) seen.complete += 1;
    } else if (type === 'error' || type === 'complete') {
      seen.ended += 1;
      if (type === 'error') noteError(text);
      setTimeout(subscribe, someTimeMs(), Number(id));
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    if (closing) return;
    seen.ended += subscriptions.length;
    setTimeout(connect, someTimeMs(), client);
  });
}

/** Reads a message whose keys are in another order. */
function other(text: string): readonly [string, string?, string?] {
  const { id, type } = JSON.parse(text) as { id?: string; type?: string };
  return [text, id, type];
}

function noteError(text: string): void {
  seen.errors += 1;
  seen.lastError = text.slice(0, 500);
}

process.on('message', (command: Command) => {
  if ('open' in command) return open(command.open);
  closing = true;
  for (const socket of sockets) socket.terminate();
  sockets = [];
});
process.on('disconnect', () => process.exit(0));
setInterval(() => process.send?.(seen satisfies Seen), reportEveryMs);
