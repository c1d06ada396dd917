import type { ExecutionResult } from 'graphql';
import { parse, print } from 'graphql';
import type { ClientStream } from '../../router/subscriptions/feed/client-stream.js';
import { errorFormatter } from '../../router/subscriptions/feed/format-errors.js';
import { type Client, createHub, type HubOptions } from '../../router/subscriptions/feed/hub.js';
import type { Planner, SubscriptionPlan } from '../../router/subscriptions/feed/plan.js';
import type { Upstream, UpstreamSink } from '../../router/subscriptions/feed/upstream.js';
import type { Identity } from '../../subgraphs/shared/auth/tokens.js';
import { requestTrace } from '../../subgraphs/shared/observability/request-context.js';

export const never = Number.POSITIVE_INFINITY;
export const person = (id: string, expiresAtMs = never): Client => ({
  identity: { id, role: 'CUSTOMER', sessionId: 's' } satisfies Identity,
  authorization: `Bearer ${id}`,
  expiresAtMs,
  address: '::1',
});
export const stranger: Client = { ...person(''), identity: null, authorization: undefined };

/** A hub over a subgraph that responds as the test says. */
export function openHub(plan: Partial<SubscriptionPlan> = {}, overrides: Partial<HubOptions> = {}) {
  const sinks = new Set<UpstreamSink>();
  const sent: unknown[] = [];
  const sentDuring: unknown[] = [];
  const upstream: Upstream = {
    subscribe(payload, sink) {
      sent.push(JSON.parse(JSON.stringify(payload)));
      sentDuring.push(requestTrace.getStore());
      sinks.add(sink);
      return () => sinks.delete(sink);
    },
    isOpen: () => true,
    close: async () => {},
  };
  const tokens: Array<string | undefined> = [];
  const planner: Planner = {
    schema: null as never,
    plan: (document) => ({
      text: print(document),
      primary: { serviceName: 'stock', operation: 'subscription { stock }' } as never,
      isPublic: true,
      beginsWithSnapshot: true,
      itemsOf: () => 1,
      keyOf: (data) => (data as { stock: { id: string } }).stock.id,
      versionOf: () => null,
      showsVersion: false,
      execute: async (event, _variables, { authorization }) => {
        tokens.push(authorization);
        return event;
      },
      ...plan,
    }),
  };
  const hub = createHub({
    format: errorFormatter((formatted) => ({
      ...formatted,
      extensions: { ...formatted.extensions, ...requestTrace.getStore() },
    })),
    perClientMax: 1000,
    itemsPerClientMax: 100_000,
    totalMax: 1000,
    bufferMax: 100,
    completionsMax: 64,
    completionMaxMs: 1000,
    consumeCost: async () => {},
    hasEnded: () => false,
    planner: () => planner,
    upstreamOf: () => upstream,
    ...overrides,
  });
  const open = (client: Client, variables = {}) => {
    const document = parse('subscription ($of: String) { stock(of: $of) }');
    return hub.open({ document, operationName: undefined, variables, cost: 100 }, client);
  };
  const emit = (event: ExecutionResult) => {
    for (const sink of sinks) sink.next(event);
  };
  return { hub, open, emit, sinks, sent, sentDuring, tokens };
}

export const stock = (id: string, left: number) => ({ data: { stock: { id, left } } });
export const next = async (stream: ClientStream) => (await stream.next()).value;
