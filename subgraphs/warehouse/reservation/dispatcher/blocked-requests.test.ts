import { eventually } from '../../../../tests/harness/wait.js';
import { Registry } from '../../../shared/observability/metrics.js';
import { createStockMetrics } from '../../stock/metrics.js';
import { BlockedRequests } from './blocked-requests.js';
import { Dispatcher } from './dispatcher.js';
import type { StockLocks } from './stock-locks.js';
import { putBackMinMs, WaitingQueue, waitingFor } from './waiting-queue.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const lockTimeout = () => Object.assign(new Error('lock timeout'), { code: '55P03' });
const metrics = () => createStockMetrics(new Registry()).dispatcher('test');

describe('requests whose rows are locked', () => {
  function open(look: (requests: readonly string[]) => Promise<readonly string[]>) {
    const freed: string[] = [];
    const refused: string[] = [];
    let isHeld = true;
    const blocked = new BlockedRequests<string, number>({
      findBlocked: look,
      isHeld: () => isHeld,
      freed: (all) => freed.push(...all.map(({ request }) => request)),
      refused: (all) => refused.push(...all.map(({ request }) => request)),
    });
    const add = (request: string) =>
      blocked.add([waitingFor<string, number>(request, ['A']).waiting], false);
    return {
      blocked,
      freed,
      refused,
      add,
      lapse() {
        isHeld = false;
      },
    };
  }

  it('stay aside if they were added during a look', async () => {
    const { blocked, freed, add, lapse } = open(async (requests) => {
      await pause(50);
      return requests;
    });
    add('first');
    await pause(120);
    add('second');
    await pause(100);
    expect(freed).toEqual([]);
    expect(blocked.length).toBe(2);
    lapse();
    await pause(250);
    expect(freed).toEqual(['first', 'second']);
    expect(blocked.length).toBe(0);
  });

  it('that are put back are served in order of arrival, and wait only a little longer', async () => {
    const queue = new WaitingQueue<string, number>({
      batchMax: 10,
      keysPerBatchMax: 10,
      queueMax: 10,
      waitMaxMs: 20,
    });
    queue.push(waitingFor<string, number>('set aside', ['A']).waiting);
    const taken = queue.take(['A']);
    await pause(30);
    queue.push(waitingFor<string, number>('later', ['A']).waiting);
    const earlierMs = performance.now();
    queue.putBack(taken);
    const names = (all: ReturnType<typeof queue.take>) => all.map(({ request }) => request);
    expect(names(queue.selectFrom(['A']))).toEqual(['set aside', 'later']);
    expect(names(queue.removeLate(earlierMs + putBackMinMs - 1))).toEqual(['later']);
    expect(names(queue.removeLate(performance.now() + putBackMinMs + 1))).toEqual(['set aside']);
  });

  it('that are put back keep the rest of their time', () => {
    const limits = { batchMax: 10, keysPerBatchMax: 10, queueMax: 10, waitMaxMs: 900 };
    const queue = new WaitingQueue<string, number>(limits);
    const { waiting } = waitingFor<string, number>('set aside', ['A']);
    queue.push(waiting);
    queue.putBack(queue.take(['A']));
    expect(queue.removeLate(waiting.enqueuedMs + 900)).toEqual([]);
    expect(queue.removeLate(waiting.enqueuedMs + 901)).toEqual([waiting]);
  });

  it('are refused when they are locked at each look for a second', async () => {
    const { blocked, add, freed, refused } = open(async (requests) => requests);
    add('first');
    await pause(600);
    add('second');
    await eventually(
      async () => blocked.length,
      (length) => length === 0,
    );
    expect(refused).toEqual(['first', 'second']);
    expect(freed).toEqual([]);
  });

  it('are refused at once by another lock timeout after a second', async () => {
    const { blocked, freed, refused } = open(async () => []);
    const { waiting } = waitingFor<string, number>('late', ['A']);
    blocked.add([waiting], true);
    await eventually(
      async () => freed,
      ({ length }) => length === 1,
    );
    await pause(1000);
    blocked.add([waiting], true);
    expect(refused).toEqual(['late']);
    expect(blocked.length).toBe(0);
  });
});

describe('a dispatcher', () => {
  interface TestRequest {
    readonly n: number;
    readonly keys: readonly string[];
  }

  it('refuses a request late that was set aside, while another process has its lock', async () => {
    let isBlocked = true;
    let locked = 0;
    const locks: StockLocks = {
      isAlone: () => false,
      async lock(_keys, isNeeded) {
        locked += 1;
        if (locked === 1) return { release: async () => false };
        while (isNeeded()) await pause(10);
        return null;
      },
    };
    const dispatcher = new Dispatcher<TestRequest, number>({
      keysOf: ({ keys }) => keys,
      async work(requests) {
        if (isBlocked) throw lockTimeout();
        return requests.map(({ n }) => n);
      },
      findBlocked: async (requests) => (isBlocked ? requests : []),
      locks,
      metrics: metrics(),
      limits: { waitMaxMs: 1000 },
    });
    const answer = dispatcher.submit({ n: 1, keys: ['A'] });
    await pause(350);
    isBlocked = false;
    await expect(answer).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
  });

  it('serves a request whose rows are free again before the rest of its batch is done', async () => {
    let looks = 0;
    let calls = 0;
    const dispatcher = new Dispatcher<TestRequest, number>({
      keysOf: ({ keys }) => keys,
      async work(requests) {
        calls += 1;
        if (calls === 1) throw lockTimeout();
        if (calls === 2) await pause(400);
        return requests.map(({ n }) => n);
      },
      findBlocked: async (requests) => (looks++ === 0 ? requests.filter(({ n }) => n === 1) : []),
      metrics: metrics(),
    });
    const all = [1, 2].map((n) => dispatcher.submit({ n, keys: ['A'] }));
    const later = pause(300).then(() => dispatcher.submit({ n: 3, keys: ['A'] }));
    expect(await Promise.all([...all, later])).toEqual([1, 2, 3]);
  });

  it('serves a request whose rows are locked again and again, but never for long', async () => {
    let calls = 0;
    const dispatcher = new Dispatcher<TestRequest, number>({
      keysOf: ({ keys }) => keys,
      async work(requests) {
        calls += 1;
        if (calls === 1) throw lockTimeout();
        return requests.map(({ n }) => n);
      },
      findBlocked: async (requests) => requests, // whenever it looks
      metrics: metrics(),
    });
    const all = [1, 2, 3].map((n) => dispatcher.submit({ n, keys: ['A'] }));
    expect(await Promise.all(all)).toEqual([1, 2, 3]);
  });

  it('refuses a request whose rows stay locked, also while others have lock timeouts', async () => {
    const seen = new Set<number>();
    const isSeen = (n: number) => seen.has(n) || !seen.add(n);
    const dispatcher = new Dispatcher<TestRequest, number>({
      keysOf: ({ keys }) => keys,
      work: () => Promise.reject(lockTimeout()),
      findBlocked: async (requests) => requests.filter(({ n }) => n === 0 || isSeen(n)),
      metrics: metrics(),
    });
    const submit = (n: number) =>
      dispatcher.submit({ n, keys: [`${n}`] }).catch((error: Error) => error);
    const answer = submit(0);
    const others: Array<Promise<unknown>> = [];
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    const more = setInterval(() => {
      others.push(submit(others.length + 1));
      if (others.length === 60) end('not refused');
    }, 50);
    const refusal = { extensions: { code: 'TRY_AGAIN' } };
    expect(await Promise.race([answer, ended])).toMatchObject(refusal);
    clearInterval(more);
    await Promise.all(others);
  });

  it('stops splitting a batch of which each part exceeds its time limit', async () => {
    let calls = 0;
    const dispatcher = new Dispatcher<TestRequest, number>({
      keysOf: ({ keys }) => keys,
      async work() {
        calls += 1;
        await pause(3000);
        throw Object.assign(new Error('slow'), { code: '57014' });
      },
      metrics: metrics(),
    });
    const all = Array.from({ length: 64 }, (_, n) => dispatcher.submit({ n, keys: ['A'] }));
    const refused = { status: 'rejected', reason: { extensions: { code: 'TRY_AGAIN' } } };
    expect(await Promise.allSettled(all)).toMatchObject(all.map(() => refused));
    expect(calls).toBeLessThan(5);
  });
});
