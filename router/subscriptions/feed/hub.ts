import type { DocumentNode } from 'graphql';
import type { Identity } from '../../../subgraphs/shared/auth/tokens.js';
import { newId } from '../../../subgraphs/shared/ids.js';
import { ClientStream, StreamEnd } from './client-stream.js';
import { createEventCharge } from './event-charge.js';
import { FairSemaphore } from './fair-semaphore.js';
import { Feed } from './feed.js';
import {
  type FormatErrors,
  schemaReload,
  sessionEnded,
  tokenExpired,
  tooSlow,
} from './format-errors.js';
import { createOpenCounts } from './open-counts.js';
import type { Planner, SubscriptionPlan, Variables } from './plan.js';
import { RefreshPace } from './refresh-pace.js';
import type { Subscriber } from './subscriber.js';
import type { Upstream } from './upstream.js';
import { createWatchedItems, type WatchedItems } from './watched-items.js';

/** A subscription that passed validation and all limits. */
export interface AcceptedSubscription {
  readonly document: DocumentNode;
  readonly operationName: string | undefined;
  readonly variables: Variables;
  /** cost of one event */
  readonly cost: number;
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
  /** items that the subscriptions of an address, and of a user, watch together */
  readonly itemsPerClientMax: number;
  readonly totalMax: number;
  readonly bufferMax: number;
  /** number of events, of all subscriptions, that are completed at once */
  readonly completionsMax: number;
  /** time to complete an event, without the time that it waits for its turn */
  readonly completionMaxMs: number;
  /** Charges a client. @throws `RATE_LIMITED` */
  consumeCost(client: Client, cost: number): Promise<void>;
  /** whether the session of a client has ended, or its user has another role */
  hasEnded(client: Client): boolean;
  planner(): Planner;
  upstreamOf(subgraph: string): Upstream;
}

export interface Hub {
  /**
   * @throws `RATE_LIMITED` if the client, or the server, has too many open subscriptions, or the client watches
   *   too many items; `UNAUTHENTICATED` if the session has ended
   */
  open(accepted: AcceptedSubscription, client: Client): ClientStream;
  /** Ends those subscriptions of sessions whose client `hasEnded`, with the error that the session has ended. */
  endSessions(sessionIds: readonly string[]): void;
  /** Ends all subscriptions with the error that the schema changed. */
  reload(): void;
  /** Ends all subscriptions without an error. */
  stop(): void;
  /** Open subscriptions of clients, and subscriptions open at subgraphs. */
  counts(): { subscriptions: number; upstreams: number };
  /** Events that are being completed, and feeds with events that wait for it. */
  completions(): { running: number; waiting: number };
}

const timerMaxMs = 2 ** 31 - 1;
// What an event costs even if hardly anything of it is selected: its entity is read, compared and sent.
const eventCostMin = 25;

/**
 * All open subscriptions. Subscriptions with the same operation and variables share one upstream: those of
 * all clients if only public fields are selected (requested without a token), else those of one user.
 */
export function createHub(options: HubOptions): Hub {
  const feeds = new Set<Feed>();
  const joinable = new Map<string, Feed>();
  const streams = new Set<ClientStream>();
  const streamsOfSession = new Map<string, Map<ClientStream, Client>>();
  const completions = new FairSemaphore(options.completionsMax);
  const refreshes = new RefreshPace();
  const openCounts = createOpenCounts('Subscription', options.perClientMax, options.totalMax);
  const watchItems = createWatchedItems(options.itemsPerClientMax);
  const streamEnd = (error: unknown) => new StreamEnd(options.format([error]));

  function subscribe(
    plan: SubscriptionPlan,
    variables: Variables,
    client: Client,
    subscriber: Subscriber,
  ): Feed {
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
        completions,
        refreshes,
        contextOf: (authorization) => ({
          requestId: newId(),
          authorization,
          address: '',
          deadlineMs: performance.now() + options.completionMaxMs,
        }),
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

  /** Charges a client for events of its snapshot, and counts their entities. Over a limit its stream ends. */
  function chargeFor(
    stream: ClientStream,
    client: Client,
    { cost }: AcceptedSubscription,
    items: WatchedItems,
  ): Subscriber['charge'] {
    const eventCost = Math.max(cost, eventCostMin);
    const end = (reason: unknown) => stream.end(streamEnd(reason));
    const consume = (events: number) => options.consumeCost(client, events * eventCost);
    const chargeEvents = createEventCharge(consume, end);
    let received = 0;
    return (events) => {
      received += events;
      try {
        items.raise(received);
      } catch (reason) {
        return end(reason);
      }
      chargeEvents(events);
    };
  }

  function addStream(stream: ClientStream, client: Client): () => void {
    streams.add(stream);
    const id = client.identity?.sessionId;
    const ofSession = (id && streamsOfSession.get(id)) || new Map<ClientStream, Client>();
    if (id) streamsOfSession.set(id, ofSession.set(stream, client));
    return () => {
      streams.delete(stream);
      ofSession.delete(stream);
      if (id && ofSession.size === 0) streamsOfSession.delete(id);
    };
  }

  return {
    open(accepted, client) {
      if (options.hasEnded(client)) throw sessionEnded();
      const releaseCount = openCounts.acquire(clientKey(client));
      const items = watchItems(itemKeys(client));
      const release = () => {
        releaseCount();
        items.release();
      };
      let feed: Feed | undefined;
      let expiryTimer: NodeJS.Timeout | undefined;
      let removeStream = () => {};
      const stream = new ClientStream(
        options.bufferMax,
        () => streamEnd(tooSlow()),
        () => {
          clearTimeout(expiryTimer);
          removeStream();
          release();
          feed?.leave(subscriber);
        },
      );
      const { authorization, expiresAtMs } = client;
      const charge = chargeFor(stream, client, accepted, items);
      const subscriber = { stream, authorization, expiresAtMs, charge };
      try {
        const variables = declaredVariables(accepted);
        const { document, operationName } = accepted;
        const plan = options.planner().plan(document, operationName, variables);
        items.raise(plan.itemsOf(variables));
        feed = subscribe(plan, variables, client, subscriber);
      } catch (error) {
        release();
        throw error;
      }
      if (stream.isClosed) {
        feed.leave(subscriber);
        return stream;
      }
      removeStream = addStream(stream, client);
      if (expiresAtMs !== Number.POSITIVE_INFINITY) {
        const remainingMs = Math.min(timerMaxMs, expiresAtMs - Date.now());
        expiryTimer = setTimeout(() => stream.end(streamEnd(tokenExpired())), remainingMs);
      }
      return stream;
    },
    endSessions(sessionIds) {
      const open = sessionIds.flatMap((id) => [...(streamsOfSession.get(id) ?? [])]);
      for (const [stream, client] of open) {
        if (options.hasEnded(client)) stream.end(streamEnd(sessionEnded()));
      }
    },
    reload() {
      const reason = streamEnd(schemaReload());
      for (const stream of streams) stream.end(reason);
    },
    stop() {
      for (const stream of streams) void stream.return();
    },
    completions: () => ({ running: completions.running, waiting: completions.waiting }),
    counts: () => ({ subscriptions: streams.size, upstreams: feeds.size }),
  };
}

const userKey = ({ id, role }: Identity) => `${role} ${id}`;

/** The key by which open subscriptions are counted: the user, or the address without a token. */
const clientKey = ({ identity, address }: Pick<Client, 'identity' | 'address'>) =>
  identity?.id ?? address;

/** The keys by which watched items are counted: the address, and the user if there is one. */
const itemKeys = ({ identity, address }: Client) => [
  `address ${address}`,
  ...(identity ? [`user ${identity.id}`] : []),
];

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
