import { jest } from '@jest/globals';
import { GraphQLError } from 'graphql';
import { openHub, stranger } from '../../../tests/harness/open-hub.js';
import type { ClientStream } from './client-stream.js';
import type { SubscriptionPlan } from './plan.js';

interface Stock {
  readonly id: string;
  readonly version: number;
  readonly name?: string;
}
const stock = (id: string, version: number) => ({ data: { stock: { id, version } } });
const stockIn = (data: unknown) => (data as { stock?: Stock } | undefined)?.stock;
const versioned: Partial<SubscriptionPlan> = {
  versionOf: (data) => stockIn(data)?.version ?? null,
  showsVersion: true,
};

/** What a client has not read yet. */
async function read(stream: ClientStream): Promise<Stock[]> {
  await new Promise(setImmediate);
  const all: Stock[] = [];
  while (stream.size > 0) all.push(stockIn((await stream.next()).value?.data) as Stock);
  return all;
}

describe('the version of an entity, as clients see it', () => {
  afterEach(() => jest.useRealTimers());

  function open(plan: Partial<SubscriptionPlan> = {}) {
    const hub = openHub({ ...versioned, ...plan });
    return {
      ...hub,
      open: () => hub.open(stranger),
      reconnect: () => {
        for (const sink of hub.sinks) sink.reconnected();
      },
    };
  }

  it('does not step back or repeat when older ones are sent again after a reconnection', async () => {
    const { hub, open: join, emit, reconnect } = open();
    const stream = join();
    emit(stock('a', 10));
    expect(await read(stream)).toEqual([{ id: 'a', version: 10 }]);
    reconnect();
    emit(stock('a', 9));
    expect(await read(stream)).toEqual([]);
    emit(stock('a', 10));
    expect(await read(stream)).toEqual([]);
    emit(stock('a', 11));
    expect(await read(stream)).toEqual([{ id: 'a', version: 11 }]);
    hub.stop();
  });

  it('does not step back while a later one is being completed, or waits for it', async () => {
    const executions: Array<() => void> = [];
    const execute: SubscriptionPlan['execute'] = async (event) => {
      await new Promise<void>((resolve) => executions.push(resolve));
      return event;
    };
    const { hub, open: join, emit, reconnect } = open({ execute });
    const stream = join();
    emit(stock('a', 10));
    reconnect();
    emit(stock('a', 9));
    emit(stock('a', 12));
    emit(stock('a', 11));
    const seen: Stock[] = [];
    for (let n = 0; n < 4; n++) {
      for (const resolve of executions.splice(0)) resolve();
      seen.push(...(await read(stream)));
    }
    expect(seen.map(({ version }) => version)).toEqual([10, 12]);
    hub.stop();
  });

  it('is the latest for a client that joins when an older one was sent again', async () => {
    const { hub, open: join, emit, reconnect } = open();
    const first = join();
    emit(stock('a', 10));
    await read(first);
    reconnect();
    const awaiting = join();
    expect(await read(awaiting)).toEqual([]);
    emit(stock('a', 9));
    expect(await read(awaiting)).toEqual([{ id: 'a', version: 10 }]);
    const later = join();
    expect(await read(later)).toEqual([{ id: 'a', version: 10 }]);
    emit(stock('a', 11));
    for (const stream of [first, awaiting, later]) {
      expect(await read(stream)).toEqual([{ id: 'a', version: 11 }]);
    }
    hub.stop();
  });

  it('does not repeat when the connection was lost again before its snapshot was complete', async () => {
    const { hub, open: join, emit, reconnect } = open();
    const first = join();
    for (const id of ['a', 'b']) emit(stock(id, 10));
    expect(await read(first)).toHaveLength(2);
    for (let n = 0; n < 3; n++) {
      reconnect();
      emit(stock('a', 10));
    }
    const later = join();
    emit(stock('b', 10));
    expect(await read(first)).toEqual([]);
    expect((await read(later)).map(({ id }) => id).toSorted()).toEqual(['a', 'b']);
    hub.stop();
  });

  it.each([
    [true, []],
    [false, [{ id: 'a', version: 10, name: 'new' }]],
  ])('is sent once, though another subgraph has changed: shown, %s', async (shown, expected) => {
    let name = 'old';
    const execute: SubscriptionPlan['execute'] = async ({ data }) => ({
      data: { stock: { ...stockIn(data), name } },
    });
    const { hub, open: join, emit } = open({ execute, showsVersion: shown });
    const first = join();
    emit(stock('a', 10));
    expect(await read(first)).toEqual([{ id: 'a', version: 10, name: 'old' }]);
    name = 'new';
    jest.useFakeTimers({ now: Date.now() + 60_000, doNotFake: ['setImmediate'] });
    const later = join();
    expect(await read(later)).toEqual([{ id: 'a', version: 10, name: 'new' }]);
    expect(await read(first)).toEqual(expected);
    hub.stop();
  });

  describe('of which a result has errors', () => {
    const down = { errors: [new GraphQLError('down')] };
    function openAndFail() {
      const state = { isDown: true };
      const execute: SubscriptionPlan['execute'] = async ({ data }) =>
        state.isDown
          ? { data: null, ...down }
          : { data: { stock: { ...stockIn(data), name: 'x' } } };
      return { ...open({ execute }), state };
    }
    /** The results that a client has not read yet: what it shows, or that it has errors. */
    async function readResults(stream: ClientStream) {
      await new Promise(setImmediate);
      const all = [];
      while (stream.size > 0) {
        const { value } = await stream.next();
        all.push(value?.errors ? 'errors' : stockIn(value?.data));
      }
      return all;
    }
    const complete = { id: 'a', version: 10, name: 'x' };
    const tick = (ms: number) => jest.advanceTimersByTimeAsync(ms);
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));

    it('is sent again to all once it is complete, and then not again', async () => {
      const { hub, open: join, emit, state } = openAndFail();
      const first = join();
      emit(stock('a', 10));
      expect(await readResults(first)).toEqual(['errors']);
      state.isDown = false;
      await tick(1000);
      const later = join();
      expect(await readResults(later)).toEqual([complete]);
      expect(await readResults(first)).toEqual([complete]);
      await tick(60_000);
      const last = join();
      expect(await readResults(last)).toEqual([complete]);
      expect(await readResults(first)).toEqual([]);
      hub.stop();
    });

    it.each(['while connected', 'after a reconnection'])(
      'is completed for those that joined, %s; others have it already',
      async (when) => {
        const { hub, open: join, emit, reconnect, state } = openAndFail();
        state.isDown = false;
        const first = join();
        emit(stock('a', 10));
        expect(await readResults(first)).toEqual([complete]);
        state.isDown = true;
        await tick(60_000);
        if (when === 'after a reconnection') reconnect();
        const later = join();
        emit(stock('a', 10));
        expect(await readResults(later)).toEqual(['errors']);
        await tick(5000);
        expect(await readResults(later)).toEqual([]);
        state.isDown = false;
        await tick(500);
        expect(await readResults(later)).toEqual([complete]);
        expect(await readResults(first)).toEqual([]);
        hub.stop();
        expect(jest.getTimerCount()).toBe(0);
      },
    );
  });

  it('rises for each client, whenever it joins and whatever is sent again', async () => {
    let seed = 7;
    const random = (max: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((seed / 2 ** 32) * max);
    };
    const execute: SubscriptionPlan['execute'] = async ({ data }) => {
      for (let turns = random(4); turns > 0; turns--) await new Promise(setImmediate);
      return { data: { stock: { ...stockIn(data), name: `${random(3)}` } } };
    };
    const { hub, open: join, emit, reconnect } = open({ execute });
    const latest = new Map<string, number>();
    const clients = new Map<ClientStream, Stock[]>([[join(), []]]);
    for (let n = 0; n < 2000; n++) {
      const id = 'abc'[random(3)] as string;
      const version = latest.get(id) ?? 0;
      const action = random(10);
      if (action < 3) {
        latest.set(id, version + 1);
        emit(stock(id, version + 1));
      } else if (action < 5) emit(stock(id, Math.max(0, version - random(4))));
      else if (action === 5) reconnect();
      else if (action === 6) clients.set(join(), []);
      else for (const [stream, seen] of clients) seen.push(...(await read(stream)));
    }
    expect(clients.size).toBeGreaterThan(100);
    for (const seen of clients.values()) {
      for (const [, versions] of Map.groupBy(seen, ({ id }) => id)) {
        const numbers = versions.map(({ version }) => version);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
      }
    }
    hub.stop();
  });
});
