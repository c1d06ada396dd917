import type { DocumentNode } from 'graphql';
import type { Identity } from '../../../subgraphs/shared/auth/tokens.js';
import { newId } from '../../../subgraphs/shared/ids.js';
import { ClientStream, StreamEnd } from './client-stream.js';
import { Feed, type Subscriber } from './feed.js';
import { type FormatErrors, schemaReload, tokenExpired, tooSlow } from './format-errors.js';
import { createOpenCounts } from './open-counts.js';
import type { Planner, Variables } from './plan.js';
import type { Upstream } from './upstream.js';

/** A subscription that passed validation and all limits. */
export interface AcceptedSubscription {
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly variables: Variables;
}

/** The client of a subscription. */
export interface Client {
  readonly identity: Identity | null;
  readonly authorization: string | undefined;
  /** expiry of the token, Unix time in milliseconds; Infinity without a token */
  readonly expiresAtMs: number;
  /** rate limit key of the address */
  readonly address: string;
}

export interface HubOptions {
  readonly format: FormatErrors;
  readonly perClientMax: number;
  readonly totalMax: number;
  readonly bufferMax: number;
  planner(): Planner;
  upstreamOf(subgraph: string): Upstream;
}

export interface Hub {
  /** @throws `RATE_LIMITED` if the client, or the server, has too many open subscriptions */
  open(accepted: AcceptedSubscription, client: Client): ClientStream;
  /** Ends all subscriptions with the error that the schema changed. */
  reload(): void;
  /** Ends all subscriptions without an error. */
  stop(): void;
  /** Open subscriptions of clients, and subscriptions open at subgraphs. */
  counts(): { subscriptions: number; upstreams: number };
}

const timerMaxMs = 2 ** 31 - 1;

/**
 * All open subscriptions. Subscriptions with the same operation and variables share one upstream: those of
 * all clients if only public fields are selected (requested without a token), else those of one user.
 */
export function createHub(options: HubOptions): Hub {
  const feeds = new Set<Feed>();
  const joinable = new Map<string, Feed>();
  const streams = new Set<ClientStream>();
  const openCounts = createOpenCounts('Subscription', options.perClientMax, options.totalMax);
  const streamEnd = (error: unknown) => new StreamEnd(options.format([error]));

  function subscribe(accepted: AcceptedSubscription, client: Client, subscriber: Subscriber): Feed {
    const plan = options.planner().plan(accepted.document, accepted.operationName);
    const variables = declaredVariables(accepted);
    const audience = plan.isPublic || !client.identity ? 'anyone' : userKey(client.identity);
    const key = `${audience}\n${canonicalJson(variables)}\n${plan.text}`;
    const existing = joinable.get(key);
    if (existing?.join(subscriber)) return existing;
    const feed = new Feed(
      {
        plan,
        variables,
        upstream: options.upstreamOf(plan.primary.serviceName),
        format: options.format,
        bufferMax: options.bufferMax,
        contextOf: (authorization) => ({ requestId: newId(), authorization, address: '' }),
        onEnd: (ended) => {
          feeds.delete(ended);
          if (joinable.get(key) === ended) joinable.delete(key);
        },
      },
      subscriber,
    );
    feeds.add(feed);
    joinable.set(key, feed);
    return feed;
  }

  return {
    open(accepted, client) {
      const release = openCounts.acquire(clientKey(client));
      let feed: Feed | undefined;
      let expiryTimer: NodeJS.Timeout | undefined;
      const stream = new ClientStream(
        options.bufferMax,
        () => streamEnd(tooSlow()),
        () => {
          clearTimeout(expiryTimer);
          streams.delete(stream);
          release();
          feed?.leave(subscriber);
        },
      );
      const { authorization, expiresAtMs } = client;
      const subscriber = { stream, authorization, expiresAtMs };
      try {
        feed = subscribe(accepted, client, subscriber);
      } catch (error) {
        release();
        throw error;
      }
      if (stream.isClosed) {
        feed.leave(subscriber);
        return stream;
      }
      streams.add(stream);
      if (expiresAtMs !== Number.POSITIVE_INFINITY) {
        const remainingMs = Math.min(timerMaxMs, expiresAtMs - Date.now());
        expiryTimer = setTimeout(() => stream.end(streamEnd(tokenExpired())), remainingMs);
      }
      return stream;
    },
    reload() {
      const reason = streamEnd(schemaReload());
      for (const stream of streams) stream.end(reason);
    },
    stop() {
      for (const stream of streams) void stream.return();
    },
    counts: () => ({ subscriptions: streams.size, upstreams: feeds.size }),
  };
}

const userKey = ({ id, role }: Identity) => `${role} ${id}`;

/** The key by which open subscriptions are counted: the user, or the address without a token. */
const clientKey = ({ identity, address }: Pick<Client, 'identity' | 'address'>) =>
  identity?.id ?? address;

/** The declared variables of the operation that have a value. */
function declaredVariables({
  document,
  operationName,
  variables,
}: AcceptedSubscription): Variables {
  const declared = document.definitions.flatMap((each) =>
    each.kind === 'OperationDefinition' && (!operationName || each.name?.value === operationName)
      ? (each.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
      : [],
  );
  const present = declared.filter((name) => variables[name] !== undefined);
  return Object.fromEntries(present.map((name) => [name, variables[name]]));
}

/** JSON with sorted object keys: equal values have equal text. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
    return Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
