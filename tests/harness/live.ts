import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client/core/index.js';
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { type Client, type ClientOptions, createClient } from 'graphql-ws';
import WebSocket from 'ws';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects
  readonly data?: any;
  readonly errors?: ReadonlyArray<{
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }>;
}

/** The events that a subscription has received. */
export interface Watch {
  readonly seen: Answer[];
  /** null while it is open, `true` after completion, otherwise the error */
  ended(): unknown;
  stop(): void;
}

export type Subscribe = (query: string, variables?: Record<string, unknown>) => Watch;
export interface LiveClient {
  readonly subscribe: Subscribe;
  close(): void;
}

interface Sink {
  next(answer: Answer): void;
  error(reason: unknown): void;
  complete(): void;
}

/** Records the events of a subscription. */
export function keep(start: (sink: Sink) => () => void): Watch {
  const seen: Answer[] = [];
  let end: unknown = null;
  const stop = start({
    next: (answer) => seen.push(answer),
    error: (reason) => {
      end = reason;
    },
    complete: () => {
      end ??= true;
    },
  });
  return { seen, ended: () => end, stop };
}

export const wsUrl = (url: string) => url.replace(/^http/, 'ws');

/** A graphql-ws client of a router. */
export function overWebSocket(
  url: string,
  token?: string,
  options: Partial<ClientOptions> = {},
): LiveClient & { client: Client } {
  const client = createClient({
    url: wsUrl(url),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    ...(token && { connectionParams: { authorization: `Bearer ${token}` } }),
    ...options,
  });
  return {
    client,
    subscribe: (query, variables = {}) =>
      keep((sink) => client.subscribe({ query, variables }, sink as never)),
    close: () => void client.dispose(),
  };
}

const bearer = (token?: string): Record<string, string> =>
  token ? { authorization: `Bearer ${token}` } : {};

function overSse(url: string, token?: string): LiveClient {
  const client = createSseClient({
    url,
    singleConnection: false,
    retryAttempts: 0,
    headers: bearer(token),
  });
  return {
    subscribe: (query, variables = {}) =>
      keep((sink) => client.subscribe({ query, variables }, sink as never)),
    close: () => client.dispose(),
  };
}

function overMultipart(url: string, token?: string): LiveClient {
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: url, headers: bearer(token) }),
  });
  return {
    subscribe: (query, variables = {}) =>
      keep((sink) => {
        const observable = client.subscribe({
          query: gql(query),
          variables,
          fetchPolicy: 'no-cache',
          errorPolicy: 'all',
        });
        const subscription = observable.subscribe({
          next: ({ data, error }) => {
            const errors = (error as { errors?: Answer['errors'] } | undefined)?.errors;
            sink.next({ data, ...(errors && { errors }) });
            if (error && !errors) sink.error(error);
          },
          error: sink.error,
          complete: sink.complete,
        });
        return () => subscription.unsubscribe();
      }),
    close: () => client.stop(),
  };
}

function overUrql(client: UrqlClient, close: () => void): LiveClient {
  return {
    subscribe: (query, variables = {}) =>
      keep((sink) => {
        const { unsubscribe } = client.subscription(query, variables).subscribe((result) => {
          const { data, error } = result;
          sink.next({ data, ...(error && { errors: error.graphQLErrors as Answer['errors'] }) });
        });
        return unsubscribe;
      }),
    close,
  };
}

function overUrqlWebSocket(url: string, token?: string): LiveClient {
  const { client: socket, close } = overWebSocket(url, token);
  const forward = subscriptionExchange({
    forwardSubscription: ({ query = '', variables }) => ({
      subscribe: (sink) => ({
        unsubscribe: socket.subscribe({ query, variables: variables as never }, sink as never),
      }),
    }),
  });
  return overUrql(new UrqlClient({ url, exchanges: [forward], preferGetMethod: false }), close);
}

function overUrqlFetch(url: string, token?: string): LiveClient {
  const client = new UrqlClient({
    url,
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetchSubscriptions: true,
    fetchOptions: { headers: bearer(token) },
  });
  return overUrql(client, () => {});
}

/** Widely used clients, one for each transport. */
export const liveClients: Readonly<Record<string, (url: string, token?: string) => LiveClient>> = {
  'graphql-ws': overWebSocket,
  'graphql-sse': overSse,
  '@apollo/client, multipart': overMultipart,
  'urql, graphql-ws': overUrqlWebSocket,
  'urql, fetch': overUrqlFetch,
};

/** Reads one gauge of the router. */
export async function gauge(opsUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${opsUrl}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
}
