import { jest } from '@jest/globals';
import type { ExecutionResult } from 'graphql';
import { GraphQLError } from 'graphql';
import { DomainError } from '../../../subgraphs/shared/errors.js';
import { requestTrace } from '../../../subgraphs/shared/observability/request-context.js';
import { never, next, openHub, person, stock, stranger } from '../../../tests/harness/open-hub.js';
import type { ClientStream } from './client-stream.js';
import type { Client, HubOptions } from './hub.js';
import type { SubscriptionPlan } from './plan.js';

describe('open subscriptions', () => {
  afterEach(() => jest.useRealTimers());

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

  it('process events older than 2 s again when clients join, once for all of them, and send nothing to the others', async () => {
    let processed = 0;
    const execute: SubscriptionPlan['execute'] = async (event) => {
      processed += 1;
      return structuredClone(event);
    };
    const { hub, open, emit } = openHub({ execute });
    const nowMs = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const joinAt = async (ms: number) => {
      nowMs.mockReturnValue(1_000_000 + ms);
      const streams = Array.from({ length: 5 }, () => open(stranger));
      await new Promise(setImmediate);
      return streams.map(({ size }) => size);
    };
    const first = open(stranger);
    emit(stock('a', 3));
    expect(await next(first)).toEqual(stock('a', 3));
    expect([await joinAt(1000), processed]).toEqual([[1, 1, 1, 1, 1], 1]);
    expect([await joinAt(3000), processed]).toEqual([[1, 1, 1, 1, 1], 2]);
    expect([await joinAt(4000), processed]).toEqual([[1, 1, 1, 1, 1], 2]);
    expect(first.size).toBe(0);
    nowMs.mockRestore();
    hub.stop();
  });

  it('send all clients what other subgraphs changed, when it is found for one that joins', async () => {
    let price = 5;
    const execute: SubscriptionPlan['execute'] = async ({ data }) => ({ data: { ...data, price } });
    const { hub, open, emit } = openHub({ execute });
    const nowMs = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const first = open(stranger);
    emit(stock('a', 3));
    emit(stock('b', 3));
    await next(first);
    await next(first);
    nowMs.mockReturnValue(1_003_000);
    price = 6;
    const later = open(stranger);
    await new Promise(setImmediate);
    expect([first.size, later.size]).toEqual([2, 2]);
    expect(await next(first)).toEqual({ data: { ...stock('a', 3).data, price: 6 } });
    nowMs.mockRestore();
    hub.stop();
  });

  it('send nothing to a client that left while its events were processed again', async () => {
    const { hub, open, emit } = openHub();
    const nowMs = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    open(stranger);
    emit(stock('a', 3));
    await new Promise(setImmediate);
    nowMs.mockReturnValue(1_003_000);
    const [gone, stays] = [open(stranger), open(stranger)];
    await gone.return();
    await new Promise(setImmediate);
    expect([gone.size, stays.size]).toEqual([0, 1]);
    nowMs.mockRestore();
    hub.stop();
  });

  it('that close cost no more than what they await, however much others await', async () => {
    const pending = Promise.withResolvers<void>();
    const execute: SubscriptionPlan['execute'] = async (event) => {
      if (isOld) await pending.promise;
      return event;
    };
    let isOld = false;
    const { hub, open, emit } = openHub({ execute }, { bufferMax: 2000 });
    const nowMs = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const first = open(stranger);
    for (let n = 0; n < 1000; n++) emit(stock(`e${n}`, 1));
    while (first.size < 1000) await new Promise(setImmediate);
    isOld = true;
    nowMs.mockReturnValue(1_003_000);
    const waiting = open(stranger);
    const deleted = jest.spyOn(Set.prototype, 'delete');
    await first.return();
    const deletions = deleted.mock.calls.length;
    deleted.mockRestore();
    expect(deletions).toBeLessThan(10);
    pending.resolve();
    while (waiting.size < 1000) await new Promise(setImmediate);
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

  it('get of the snapshot after a reconnection only what has changed; a client that joins gets all of it', async () => {
    const { hub, open, emit, sinks } = openHub();
    const reconnect = () => {
      for (const sink of sinks) sink.reconnected();
    };
    const first = open(stranger);
    for (const event of [stock('a', 1), stock('b', 2), stock('gone', 3)]) emit(event);
    for (let n = 0; n < 3; n++) await next(first);
    reconnect();
    const later = open(stranger);
    await new Promise(setImmediate);
    expect([hub.counts().upstreams, later.size]).toEqual([1, 0]);
    emit(stock('a', 1));
    emit(stock('b', 7));
    emit(stock('new', 4));
    await new Promise(setImmediate);
    expect([first.size, later.size]).toEqual([2, 3]);
    expect([await next(first), await next(first)]).toEqual([stock('b', 7), stock('new', 4)]);
    expect(await next(later)).toEqual(stock('a', 1));
    // It was in neither of two snapshots.
    reconnect();
    for (const event of [stock('a', 1), stock('b', 7), stock('new', 4)]) emit(event);
    await new Promise(setImmediate);
    const last = open(stranger);
    await new Promise(setImmediate);
    expect([first.size, last.size]).toEqual([0, 3]);
    hub.stop();
  });

  it('complete after a reconnection at once only events that differ, or that a client awaits, the others soon', async () => {
    const completed: unknown[] = [];
    const execute: SubscriptionPlan['execute'] = async (event) => {
      completed.push((event.data as { stock: { id: string } }).stock.id);
      return { ...event };
    };
    const { hub, open, emit, sinks } = openHub({ execute });
    open(stranger);
    const all = [stock('a', 1), stock('b', 2), stock('c', 3), stock('d', 4)];
    for (const event of all) emit(event);
    await new Promise(setImmediate);
    for (const sink of sinks) sink.reconnected();
    completed.length = 0;
    jest.useFakeTimers();
    emit(stock('a', 1));
    emit(stock('b', 7));
    emit(stock('d', 4));
    await jest.advanceTimersByTimeAsync(499);
    expect(completed).toEqual(['b']);
    open(stranger);
    emit(stock('c', 3));
    emit(stock('d', 5));
    await jest.advanceTimersByTimeAsync(0);
    expect(completed).toEqual(['b', 'c', 'd']);
    await jest.advanceTimersByTimeAsync(1);
    expect(completed).toEqual(['b', 'c', 'd', 'a']);
    hub.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keep what clients have while completing it again fails, and repeat that', async () => {
    let isDown = false;
    const execute: SubscriptionPlan['execute'] = async (event) => {
      if (isDown) return { data: null, errors: [new GraphQLError('down')] };
      return { data: { ...(event.data as object), name: isDown } };
    };
    const { hub, open, emit, sinks } = openHub({ execute });
    const first = open(stranger);
    emit(stock('a', 1));
    const seen = [await first.next()];
    await new Promise(setImmediate);
    for (const sink of sinks) sink.reconnected();
    jest.useFakeTimers();
    isDown = true;
    emit(stock('a', 1));
    const next = first.next().then((each) => seen.push(each as never));
    await jest.advanceTimersByTimeAsync(1400);
    expect(seen).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1000);
    const late = open(stranger);
    await jest.advanceTimersByTimeAsync(1000);
    expect((await late.next()).value).toHaveProperty('errors');
    expect(jest.getTimerCount()).toBe(1);
    hub.stop();
    await next;
    expect(jest.getTimerCount()).toBe(0);
  });

  it('forget an entity that the snapshot after a reconnection lacks, though its event was being completed', async () => {
    const pending = Promise.withResolvers<void>();
    const execute: SubscriptionPlan['execute'] = async (event) => {
      await pending.promise;
      return event;
    };
    const { hub, open, emit, sinks } = openHub({ execute });
    open(stranger);
    emit(stock('gone', 1));
    for (const sink of sinks) sink.reconnected();
    pending.resolve();
    await new Promise(setImmediate);
    const later = open(stranger);
    await new Promise(setImmediate);
    expect(later.size).toBe(0);
    hub.stop();
  });

  it('take turns when they process events: a large snapshot delays another feed by a few events', async () => {
    const executions: { of: unknown; resolve(): void }[] = [];
    const execute: SubscriptionPlan['execute'] = async (event, { of }) => {
      await new Promise<void>((resolve) => executions.push({ of, resolve }));
      return event;
    };
    const { hub, open, sinks } = openHub({ execute }, { completionsMax: 4, bufferMax: 10_000 });
    open(stranger, { of: 'large' });
    open(stranger, { of: 'small' });
    const [large, small] = sinks;
    for (let n = 0; n < 10_000; n++) large?.next(stock(`l${n}`, n));
    for (let n = 0; n < 3; n++) small?.next(stock(`s${n}`, n));
    expect(executions.map(({ of }) => of)).toEqual(Array(4).fill('large'));
    expect(hub.completions()).toEqual({ running: 4, waiting: 2 });
    for (let n = 0; n < 6; n++) {
      executions[n]?.resolve();
      await new Promise(setImmediate);
    }
    const begun = executions.slice(4).map(({ of }) => of);
    expect(begun.filter((of) => of === 'small')).toHaveLength(3);
    expect(executions.length - 6).toBe(4);
    hub.stop();
    expect(hub.completions().waiting).toBe(0);
  });

  it('complete each event by a deadline that begins with its turn', async () => {
    const left: number[] = [];
    const ends: (() => void)[] = [];
    const execute: SubscriptionPlan['execute'] = async (event, _variables, { deadlineMs = 0 }) => {
      left.push(deadlineMs - performance.now());
      await new Promise<void>((resolve) => ends.push(resolve));
      return event;
    };
    const options = { completionsMax: 1, completionMaxMs: 5000 };
    const { hub, open, emit } = openHub({ execute }, options);
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1000);
    open(stranger);
    emit(stock('a', 1));
    emit(stock('b', 1));
    clock.mockReturnValue(9000);
    ends[0]?.();
    await new Promise(setImmediate);
    clock.mockRestore();
    expect(left).toEqual([5000, 5000]);
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
    const { hub, open } = openHub({}, { perClientMax: 2 });
    const [first] = [open(person('ana')), open(person('ana'))];
    expect(() => open(person('ana'))).toThrow('Subscription limit reached');
    open(person('ben'));
    await first.return();
    open(person('ana'));
    expect(hub.counts().subscriptions).toBe(3);
    hub.stop();
  });

  describe('watch a limited number of items', () => {
    const openWatching = () =>
      openHub({ itemsOf: ({ of }) => of as number }, { itemsPerClientMax: 10 });
    const limited = 'Too many items are watched';
    const elsewhere = { ...stranger, address: '::2' };

    it('of their arguments, for each address', async () => {
      const { hub, open } = openWatching();
      const first = open(stranger, { of: 6 });
      open(stranger, { of: 4 });
      expect(() => open(stranger, { of: 1 })).toThrow(limited);
      expect(hub.counts()).toEqual({ subscriptions: 2, upstreams: 2 });
      open(elsewhere, { of: 10 });
      await first.return();
      await first.return();
      expect(() => open(stranger, { of: 7 })).toThrow(limited);
      open(stranger, { of: 6 });
      hub.stop();
      open(stranger, { of: 10 });
      hub.stop();
    });

    it('for each user too, from whatever address', () => {
      const { hub, open } = openWatching();
      open(person('ana'), { of: 6 });
      expect(() => open({ ...person('ana'), address: '::2' }, { of: 5 })).toThrow(limited);
      expect(() => open(person('ben'), { of: 5 })).toThrow(limited);
      open({ ...person('ben'), address: '::2' }, { of: 10 });
      hub.stop();
    });

    it('that their events are about, where these are more', async () => {
      const { hub, open, emit } = openWatching();
      const first = open(stranger, { of: 3 });
      for (let n = 0; n < 6; n++) emit(stock(`e${n}`, 1));
      emit(stock('e1', 2));
      open(stranger, { of: 4 });
      expect(() => open(stranger, { of: 1 })).toThrow(limited);
      const other = open(elsewhere, { of: 3 });
      emit(stock('e6', 1));
      await expect(first.next()).rejects.toMatchObject({
        errors: [{ extensions: { code: 'RATE_LIMITED' } }],
      });
      expect([hub.counts().subscriptions, other.isClosed]).toEqual([2, false]);
      hub.stop();
    });

    it('and no event is completed for a stream that ended by it', async () => {
      let completed = 0;
      const execute: SubscriptionPlan['execute'] = async (event) => {
        completed += 1;
        return event;
      };
      const { hub, open, emit } = openHub({ execute }, { itemsPerClientMax: 1 });
      const stream = open(stranger);
      emit(stock('a', 1));
      emit(stock('b', 1));
      await expect(stream.next()).rejects.toThrow(limited);
      expect([completed, hub.counts().upstreams]).toEqual([1, 0]);
      hub.stop();
    });

    it('also when they join a snapshot', async () => {
      const { hub, open, emit } = openWatching();
      open(elsewhere, { of: 1 });
      for (let n = 0; n < 6; n++) emit(stock(`e${n}`, 1));
      open(stranger, { of: 1 });
      await expect(open(stranger, { of: 1 }).next()).rejects.toMatchObject({
        errors: [{ message: expect.stringContaining(limited) }],
      });
      expect(hub.counts()).toEqual({ subscriptions: 2, upstreams: 1 });
      hub.stop();
    });
  });

  describe('are charged', () => {
    function openCharged(refused?: string, overrides: Partial<HubOptions> = {}) {
      const charged = new Map<string, number>();
      const consumeCost: HubOptions['consumeCost'] = async ({ authorization = '' }, cost) => {
        if (authorization === refused) throw new DomainError('RATE_LIMITED', 'Too much.');
        charged.set(authorization, (charged.get(authorization) ?? 0) + cost);
      };
      return { ...openHub({}, { consumeCost, ...overrides }), charged };
    }

    it('the cost of one event for each entity of their snapshot, not for its changes', async () => {
      const { hub, open, emit, sinks, charged } = openCharged();
      open(stranger);
      for (const id of ['a', 'b', 'c']) emit(stock(id, 1));
      await new Promise(setImmediate);
      for (const id of ['a', 'b', 'c']) emit(stock(id, 2));
      for (const sink of sinks) sink.reconnected();
      for (const id of ['a', 'b', 'c']) emit(stock(id, 3));
      await new Promise(setImmediate);
      expect(charged.get('')).toBe(300);
      open(person('ana'));
      emit(stock('d', 1));
      await new Promise(setImmediate);
      expect(Object.fromEntries(charged)).toEqual({ '': 400, 'Bearer ana': 400 });
      hub.stop();
    });

    it('once for an entity of which no event can be kept, before and after a reconnection', async () => {
      const { hub, open, emit, sinks, charged } = openCharged(undefined, { bufferMax: 2 });
      const stream = open(stranger);
      const emitAll = async (left: number) => {
        for (const id of ['a', 'b', 'c']) {
          emit(stock(id, left));
          await next(stream);
        }
      };
      for (const left of [1, 2, 3]) await emitAll(left);
      for (const sink of sinks) sink.reconnected();
      for (const left of [4, 5]) await emitAll(left);
      await new Promise(setImmediate);
      expect(charged.get('')).toBe(300);
      hub.stop();
    });

    it('and end with RATE_LIMITED over the limit; others who share the upstream continue', async () => {
      const { hub, open, emit } = openCharged('Bearer ana');
      const [refused, stays] = [open(person('ana')), open(stranger)];
      expect(hub.counts()).toEqual({ subscriptions: 2, upstreams: 1 });
      emit(stock('a', 1));
      await new Promise(setImmediate);
      await expect(refused.next()).rejects.toMatchObject({
        errors: [{ extensions: { code: 'RATE_LIMITED' } }],
      });
      expect(hub.counts()).toEqual({ subscriptions: 1, upstreams: 1 });
      expect(await next(stays)).toEqual(stock('a', 1));
      hub.stop();
    });
  });

  it('of a session end when it ends, and those of others stay; its tokens open no more', async () => {
    const ended = new Set<string>();
    const hasEnded = ({ identity }: Client) => ended.has(identity?.sessionId ?? '');
    const { hub, open } = openHub({}, { hasEnded });
    const inSession = (sessionId: string): Client => ({
      ...person('ana'),
      identity: { id: 'ana', role: 'CUSTOMER', sessionId },
    });
    const [first, second] = [open(inSession('s1')), open(inSession('s1'))];
    open(inSession('s2'));
    open(stranger);
    ended.add('s1');
    hub.endSessions(['s1', 'unknown']);
    for (const stream of [first, second]) {
      await expect(stream.next()).rejects.toMatchObject({
        errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
      });
    }
    expect(hub.counts().subscriptions).toBe(2);
    expect(() => open(inSession('s1'))).toThrow('session has ended');
    expect(hub.counts().subscriptions).toBe(2);
    hub.stop();
  });

  it('of a session end when its user gets another role, and stay with tokens of that role', () => {
    let role = 'CUSTOMER';
    const hasEnded = ({ identity }: Client) => identity?.role !== role;
    const { hub, open } = openHub({}, { hasEnded });
    const former = open(person('ana'));
    role = 'VENDOR';
    const present = open({
      ...person('ana'),
      identity: { id: 'ana', role: 'VENDOR', sessionId: 's' },
    });
    hub.endSessions(['s']);
    expect([former.isClosed, present.isClosed]).toEqual([true, false]);
    hub.stop();
  });
});
