import { jest } from '@jest/globals';
import type { ExecutionResult } from 'graphql';
import { GraphQLError, parse, print } from 'graphql';
import type { Identity } from '../../../subgraphs/shared/auth/tokens.js';
import { requestTrace } from '../../../subgraphs/shared/observability/request-context.js';
import type { ClientStream } from './client-stream.js';
import { errorFormatter } from './format-errors.js';
import { type Client, createHub } from './hub.js';
import type { Planner, SubscriptionPlan } from './plan.js';
import type { Upstream, UpstreamSink } from './upstream.js';

const never = Number.POSITIVE_INFINITY;
const person = (id: string, expiresAtMs = never): Client => ({
  identity: { id, role: 'CUSTOMER', sessionId: 's' } satisfies Identity,
  authorization: `Bearer ${id}`,
  expiresAtMs,
  address: '::1',
});
const stranger: Client = { ...person(''), identity: null, authorization: undefined };

/** A hub over a subgraph that responds as the test says. */
function openHub(plan: Partial<SubscriptionPlan> = {}, perClientMax = 1000) {
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
    perClientMax,
    totalMax: 1000,
    bufferMax: 100,
    planner: () => planner,
    upstreamOf: () => upstream,
  });
  const open = (client: Client, variables = {}) => {
    const document = parse('subscription ($of: String) { stock(of: $of) }');
    return hub.open({ document, operationName: undefined, variables }, client);
  };
  const emit = (event: ExecutionResult) => {
    for (const sink of sinks) sink.next(event);
  };
  return { hub, open, emit, sinks, sent, sentDuring, tokens };
}

const stock = (id: string, left: number) => ({ data: { stock: { holdfastKey0: id, left } } });
const next = async (stream: ClientStream) => (await stream.next()).value;

describe('open subscriptions', () => {
  it('share one upstream, without a token, if they select the same public fields', async () => {
    const { hub, open, emit, sent, tokens } = openHub();
    const streams = Array.from({ length: 200 }, (_, n) =>
      open(n % 2 ? person(`p${n}`) : stranger, n % 3 ? { of: 'x' } : { of: 'x', stray: n }),
    );
    expect(hub.counts()).toEqual({ subscriptions: 200, upstreams: 1 });
    emit(stock('a', 1));
    for (const stream of streams) expect(await next(stream)).toEqual(stock('a', 1));
    expect(sent).toMatchObject([{ query: 'subscription { stock }' }]);
    expect(JSON.stringify(sent)).not.toContain('authorization');
    expect(tokens).toEqual([undefined]);
    for (const stream of streams) await stream.return();
    expect(hub.counts()).toEqual({ subscriptions: 0, upstreams: 0 });
  });

  it('share only within one user otherwise, with the token that is valid longest', async () => {
    const { hub, open, emit, sent, tokens, sinks } = openHub({ isPublic: false });
    open(person('ana', Date.now() + 60_000));
    open({ ...person('ana', Date.now() + 90_000), authorization: 'Bearer later' });
    open(person('ben'));
    open(stranger);
    expect(hub.counts()).toEqual({ subscriptions: 4, upstreams: 3 });
    expect(sent).toMatchObject([
      { extensions: { authorization: 'Bearer ana' } },
      { extensions: { authorization: 'Bearer ben' } },
      {},
    ]);
    emit(stock('a', 1));
    await new Promise(setImmediate);
    expect(tokens).toEqual(['Bearer later', 'Bearer ben', undefined]);
    hub.stop();
    expect(sinks.size).toBe(0);
  });

  it('do not share an upstream if their variables differ', () => {
    const { hub, open } = openHub();
    open(stranger, { of: 'a' });
    open(stranger, { of: 'b' });
    expect(hub.counts().upstreams).toBe(2);
    hub.stop();
  });

  it('give a client that joins later the latest event of each entity', async () => {
    const { hub, open, emit } = openHub();
    const first = open(stranger);
    for (const event of [stock('a', 3), stock('b', 5), stock('a', 2)]) emit(event);
    await new Promise(setImmediate);
    await next(first);
    const later = open(stranger);
    expect(hub.counts().upstreams).toBe(1);
    expect([await next(later), await next(later)]).toEqual([stock('a', 2), stock('b', 5)]);
    emit(stock('b', 4));
    expect(await next(later)).toEqual(stock('b', 4));
    hub.stop();
  });

  it('process events older than 2 s again when clients join, once for all of them', async () => {
    let processed = 0;
    const execute: SubscriptionPlan['execute'] = async (event) => {
      processed += 1;
      return event;
    };
    const { hub, open, emit } = openHub({ execute });
    const nowMs = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const joinAt = async (ms: number) => {
      nowMs.mockReturnValue(1_000_000 + ms);
      const streams = Array.from({ length: 5 }, () => open(stranger));
      await new Promise(setImmediate);
      return streams.map(({ size }) => size);
    };
    open(stranger);
    emit(stock('a', 3));
    await new Promise(setImmediate);
    expect([await joinAt(1000), processed]).toEqual([[1, 1, 1, 1, 1], 1]);
    expect([await joinAt(3000), processed]).toEqual([[1, 1, 1, 1, 1], 2]);
    nowMs.mockRestore();
    hub.stop();
  });

  it('process events with errors again when clients join, at most once a second', async () => {
    let processed = 0;
    const execute: SubscriptionPlan['execute'] = async (event) => {
      processed += 1;
      return { ...event, errors: [new GraphQLError('away')] };
    };
    const { hub, open, emit } = openHub({ execute });
    jest.useFakeTimers();
    const first = open(stranger);
    emit(stock('a', 3));
    await jest.advanceTimersByTimeAsync(0);
    const later: ClientStream[] = [];
    for (let n = 0; n < 5; n++) {
      later.push(open(stranger));
      await jest.advanceTimersByTimeAsync(190);
    }
    expect([processed, ...later.map(({ size }) => size)]).toEqual([1, 0, 0, 0, 0, 0]);
    await jest.advanceTimersByTimeAsync(1000);
    expect([processed, ...later.map(({ size }) => size)]).toEqual([2, 1, 1, 1, 1, 1]);
    expect(first.size).toBe(1);
    jest.useRealTimers();
    hub.stop();
  });

  it('never give a client that joins later an event older than a pending one', async () => {
    const executions = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    let processed = 0;
    const execute: SubscriptionPlan['execute'] = async (event) => {
      await executions[processed++]?.promise;
      return { ...event, errors: [new GraphQLError('away')] };
    };
    const { hub, open, emit } = openHub({ execute });
    const nowMs = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    open(stranger);
    executions[0]?.resolve();
    emit(stock('a', 9));
    await new Promise(setImmediate);
    emit(stock('a', 8));
    emit(stock('a', 7));
    nowMs.mockReturnValue(1_005_000);
    const later = open(stranger);
    for (const each of executions) each.resolve();
    await new Promise(setImmediate);
    expect((await next(later))?.data).toEqual(stock('a', 7).data);
    nowMs.mockRestore();
    hub.stop();
  });

  it('have a request id for each event, and never that of the request that opened the first', async () => {
    const ids: string[] = [];
    const execute: SubscriptionPlan['execute'] = async (event, _variables, { requestId }) => {
      ids.push(requestId);
      return { ...event, errors: [new GraphQLError('away')] };
    };
    const { hub, open, emit, sentDuring } = openHub({ execute });
    const stream = requestTrace.run({ requestId: 'of the first' }, () => open(stranger));
    expect(sentDuring).toEqual([undefined]);
    const requestIds: unknown[] = [];
    for (const left of [2, 1]) {
      emit(stock('a', left));
      requestIds.push((await next(stream))?.errors?.[0]?.extensions?.requestId);
    }
    expect(requestIds).toEqual(ids);
    expect(new Set([...ids, 'of the first']).size).toBe(3);
    hub.stop();
  });

  it('give a client that joins later no earlier event if the subscription starts without a snapshot', async () => {
    const { hub, open, emit } = openHub({ beginsWithSnapshot: false });
    open(stranger);
    open(stranger);
    expect(hub.counts().upstreams).toBe(1);
    emit(stock('a', 1));
    const later = open(stranger);
    expect(hub.counts().upstreams).toBe(2);
    expect(later.size).toBe(0);
    hub.stop();
  });

  it('discard their kept events when the upstream is lost: a snapshot follows', async () => {
    const { hub, open, emit, sinks } = openHub();
    open(stranger);
    emit(stock('a', 1));
    await new Promise(setImmediate);
    for (const sink of sinks) sink.reconnected();
    const later = open(stranger);
    expect(later.size).toBe(0);
    emit(stock('a', 7));
    expect(await next(later)).toEqual(stock('a', 7));
    hub.stop();
  });

  it('process the events of one entity in order, and of the pending ones only the latest', async () => {
    const executions = Array.from({ length: 3 }, () => Promise.withResolvers<ExecutionResult>());
    const executed: ExecutionResult[] = [];
    const execute: SubscriptionPlan['execute'] = (event) => {
      executed.push(event);
      return executions[executed.length - 1]?.promise as Promise<ExecutionResult>;
    };
    const { hub, open, emit } = openHub({ execute });
    const stream = open(stranger);
    for (const left of [9, 8, 7]) emit(stock('a', left));
    emit(stock('b', 1));
    expect(executed).toEqual([stock('a', 9), stock('b', 1)]);
    executions[0]?.resolve(stock('a', 9));
    expect(await next(stream)).toEqual(stock('a', 9));
    await new Promise(setImmediate);
    expect(executed[2]).toEqual(stock('a', 7));
    hub.stop();
  });

  it.each([
    ['the token expires', 'UNAUTHENTICATED', undefined],
    ['the schema changes', 'SUBSCRIPTION_SCHEMA_RELOAD', 'reload'],
  ] as const)('end with the reason when %s', async (_what, code, how) => {
    const { hub, open } = openHub();
    const stream = open(person('ana', how ? never : Date.now() + 20));
    if (how) hub[how]();
    await expect(stream.next()).rejects.toMatchObject({ errors: [{ extensions: { code } }] });
    expect(hub.counts()).toEqual({ subscriptions: 0, upstreams: 0 });
  });

  it('end with the error of the subgraph', async () => {
    const { hub, open, sinks } = openHub();
    const stream = open(stranger);
    const refusal = { message: 'No.', extensions: { code: 'FORBIDDEN' } };
    for (const sink of [...sinks]) sink.error([refusal]);
    await expect(stream.next()).rejects.toMatchObject({
      errors: [{ ...refusal, extensions: { code: 'FORBIDDEN', requestId: expect.any(String) } }],
    });
    const other = open(stranger);
    for (const sink of [...sinks]) sink.error(new Error('4400'));
    await expect(other.next()).rejects.toMatchObject({
      errors: [{ extensions: { code: 'TRY_AGAIN' } }],
    });
    expect(hub.counts()).toEqual({ subscriptions: 0, upstreams: 0 });
  });

  it('are limited for each client', async () => {
    const { hub, open } = openHub({}, 2);
    const [first] = [open(person('ana')), open(person('ana'))];
    expect(() => open(person('ana'))).toThrow('Subscription limit reached');
    open(person('ben'));
    await first.return();
    open(person('ana'));
    expect(hub.counts().subscriptions).toBe(3);
    hub.stop();
  });
});
