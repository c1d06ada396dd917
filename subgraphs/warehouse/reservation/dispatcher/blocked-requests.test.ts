import { Registry } from '../../../shared/observability/metrics.js';
import { createStockMetrics } from '../../stock/metrics.js';
import { BlockedRequests } from './blocked-requests.js';
import { Dispatcher } from './dispatcher.js';
import type { StockLocks } from './stock-locks.js';
import { WaitingQueue, waitingFor } from './waiting-queue.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const lockTimeout = () => Object.assign(new Error('lock timeout'), { code: '55P03' });
const metrics = () => createStockMetrics(new Registry()).dispatcher('test');

describe('requests whose rows are locked', () => {
  function open(look: (requests: readonly string[]) => Promise<readonly string[]>) {
    const freed: string[] = [];
    let isHeld = true;
    const blocked = new BlockedRequests<string, number>({
      findBlocked: look,
      isHeld: () => isHeld,
      freed: (all) => freed.push(...all.map(({ request }) => request)),
    });
    const add = (request: string, waited = false) =>
      blocked.add([waitingFor<string, number>(request, ['A']).waiting], waited);
    return {
      blocked,
      freed,
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

  it('wait for their batch from when they are put back, in order of arrival', async () => {
    const queue = new WaitingQueue<string, number>({
      batchMax: 10,
      keysPerBatchMax: 10,
      queueMax: 10,
    });
    queue.push(waitingFor<string, number>('set aside', ['A']).waiting);
    const taken = queue.take(['A']);
    await pause(20);
    const arrivedMs = performance.now();
    queue.push(waitingFor<string, number>('later', ['A']).waiting);
    queue.putBack(taken);
    expect(queue.removeBefore(arrivedMs)).toEqual([]);
    expect(queue.take(['A']).map(({ request }) => request)).toEqual(['set aside', 'later']);
  });

  it('are refused only after another lock timeout', async () => {
    const { blocked, add, lapse } = open(async (requests) => requests);
    const { waiting } = waitingFor<string, number>('late', ['A']);
    expect(blocked.add([waiting], true)).toEqual([]);
    await pause(1000);
    expect(blocked.add([waiting], false)).toEqual([]);
    expect(blocked.add([waiting], true)).toEqual([waiting]);
    expect(add('new', true)).toEqual([]);
    lapse();
    await pause(250);
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
