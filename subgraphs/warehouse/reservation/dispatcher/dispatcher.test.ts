import { OutcomeUnknown, tryAgain } from '../../../shared/errors.js';
import { Registry } from '../../../shared/observability/metrics.js';
import { createStockMetrics } from '../../stock/metrics.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatcherLimits } from './dispatcher-limits.js';
import type { StockLocks } from './stock-locks.js';

interface TestRequest {
  readonly n: number;
  readonly keys: readonly string[];
}
const requestOf = (n: number, ...keys: string[]): TestRequest => ({ n, keys });
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A dispatcher whose batches wait until the test finishes them. */
function openDispatcher(
  limits: Partial<DispatcherLimits> = {},
  locks?: StockLocks,
  failure?: Error,
) {
  const batches: number[][] = [];
  const waiting: Array<() => void> = [];
  const registry = new Registry();
  const dispatcher = new Dispatcher<TestRequest, number>({
    keysOf: ({ keys }) => keys,
    async work(requests) {
      batches.push(requests.map(({ n }) => n));
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (failure) throw failure;
      if (requests.some(({ n }) => n === 13)) throw new Error('13 always fails');
      return requests.map(({ n }) => n * 10);
    },
    metrics: createStockMetrics(registry).dispatcher('test'),
    limits,
    locks,
  });
  const finish = async (from = 0) => {
    for (const done of waiting.splice(from)) done();
    await turn();
  };
  const refusals = async () =>
    (await registry.getSingleMetric('holdfast_stock_refusals_total')?.get())?.values;
  return { dispatcher, batches, finish, refusals };
}

describe('the dispatcher', () => {
  it('makes one batch of simultaneous requests, and the next of those that arrive meanwhile', async () => {
    const { dispatcher, batches, finish } = openDispatcher();
    const first = [1, 2, 3].map((n) => dispatcher.submit(requestOf(n, 'A')));
    await turn();
    const second = [4, 5].map((n) => dispatcher.submit(requestOf(n, 'A')));
    await turn();
    expect(batches).toEqual([[1, 2, 3]]);
    await finish();
    expect(await Promise.all(first)).toEqual([10, 20, 30]);
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    await finish();
    expect(await Promise.all(second)).toEqual([40, 50]);
  });

  it('limits the requests and the keys of a batch', async () => {
    const { dispatcher, batches, finish } = openDispatcher({ batchMax: 2, lanesMax: 1 });
    void [1, 2, 3].map((n) => dispatcher.submit(requestOf(n, 'A')));
    await turn();
    await finish();
    expect(batches).toEqual([[1, 2], [3]]);
    const byKeys = openDispatcher({ keysPerBatchMax: 2, lanesMax: 1 });
    void ['A', 'B', 'C'].map((key, n) => byKeys.dispatcher.submit(requestOf(n, key)));
    await turn();
    await byKeys.finish();
    expect(byKeys.batches).toEqual([[0, 1], [2]]);
    await finish();
    await byKeys.finish();
  });

  it('delays no other key by a taken one, and lets no request overtake on its key', async () => {
    const { dispatcher, batches, finish } = openDispatcher();
    void dispatcher.submit(requestOf(1, 'A'));
    await turn();
    void dispatcher.submit(requestOf(2, 'A', 'B'));
    void dispatcher.submit(requestOf(3, 'B')); // after 2, which waits for A
    void dispatcher.submit(requestOf(4, 'C'));
    await turn();
    expect(batches).toEqual([[1], [4]]);
    await finish();
    expect(batches).toEqual([[1], [4], [2, 3]]);
    await finish();
  });

  it('releases all its locks when another process waits for one of them', async () => {
    const held = new Set<string>();
    const wantedByOthers: StockLocks = {
      isAlone: () => false,
      async lock(keys) {
        for (const key of keys) held.add(key);
        return {
          async release() {
            for (const key of keys) held.delete(key);
            return true;
          },
        };
      },
    };
    const limits = { lockHoldMaxMs: 1000, yieldPauseMs: 1 };
    const { dispatcher, batches, finish } = openDispatcher(limits, wantedByOthers);
    void dispatcher.submit(requestOf(1, 'A'));
    await turn();
    void dispatcher.submit(requestOf(2, 'B'));
    await turn();
    await finish(1); // the second alone
    void dispatcher.submit(requestOf(3, 'B'));
    void dispatcher.submit(requestOf(4, 'C'));
    await turn();
    expect([...held]).toEqual(['A']);
    await finish();
    await turn();
    expect(batches.flat().sort()).toEqual([1, 2, 3, 4]);
    await finish();
  });

  it('is not delayed by keys that another process has locked, even as many as lanes', async () => {
    const taken = new Set(['A', 'B', 'C', 'D']);
    const locks: StockLocks = {
      isAlone: () => false,
      async lock(keys, isNeeded) {
        while (keys.some((key) => taken.has(key))) {
          if (!isNeeded()) return null;
          await turn();
        }
        return { release: async () => false };
      },
    };
    const limits = { lanesMax: 4, batchLockWaitMaxMs: 1, requestLockWaitMaxMs: 1, deferMs: 1 };
    const { dispatcher, batches, finish } = openDispatcher(limits, locks);
    const held = [...taken].map((key, n) => dispatcher.submit(requestOf(n, key)));
    await turn();
    const others = ['E', 'F', 'G'].map((key, n) => dispatcher.submit(requestOf(10 + n, key)));
    const served = Promise.all(others);
    let done = false;
    void served.then(() => {
      done = true;
    });
    for (let n = 0; n < 40 && !done; n++) {
      await turn();
      await finish();
    }
    expect(batches.flat().sort()).toEqual([10, 11, 12]);
    taken.clear();
    for (let n = 0; n < 40 && batches.flat().length < 7; n++) {
      await turn();
      await finish();
    }
    await finish();
    expect(await Promise.all([...held, served])).toEqual([0, 10, 20, 30, [100, 110, 120]]);
  });

  it('has one lane without lock nodes: what arrives meanwhile becomes one batch, of any keys', async () => {
    let alone = false;
    const locks: StockLocks = {
      isAlone: () => alone,
      lock: async () => ({ release: async () => false }),
    };
    const { dispatcher, batches, finish } = openDispatcher({ lockHoldMaxMs: 0 }, locks);
    void ['A', 'B', 'C'].map((key, n) => dispatcher.submit(requestOf(n, key)));
    await turn();
    void dispatcher.submit(requestOf(3, 'D'));
    await turn();
    expect(batches).toEqual([[0, 1, 2], [3]]); // two lanes
    alone = true;
    const later = ['A', 'D', 'E'].map((key, n) => dispatcher.submit(requestOf(4 + n, key)));
    await turn();
    expect(batches).toHaveLength(2);
    await finish();
    expect(batches).toEqual([[0, 1, 2], [3], [4, 5, 6]]);
    await finish();
    expect(await Promise.all(later)).toEqual([40, 50, 60]);
  });

  it('refuses a request immediately when the queue is full', async () => {
    const { dispatcher, finish } = openDispatcher({ queueMax: 2 });
    const accepted = [1, 2].map((n) => dispatcher.submit(requestOf(n, 'A')));
    const refused = dispatcher.submit(requestOf(3, 'A'));
    await expect(refused).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    await turn();
    await finish();
    expect(await Promise.all(accepted)).toEqual([10, 20]);
  });

  it('refuses requests that wait too long', async () => {
    const neverFree: StockLocks = {
      isAlone: () => false,
      async lock(_keys, isNeeded) {
        while (isNeeded()) await turn();
        return null;
      },
    };
    const { dispatcher, batches, refusals } = openDispatcher({ waitMaxMs: 30 }, neverFree);
    const all = [1, 2, 3].map((n) => dispatcher.submit(requestOf(n, 'A')));
    for (const result of await Promise.allSettled(all)) {
      expect(result).toMatchObject({ reason: { extensions: { code: 'TRY_AGAIN' } } });
    }
    expect(batches).toEqual([]);
    expect(await refusals()).toMatchObject([{ labels: { reason: 'late' }, value: 3 }]);
  });

  it('splits a batch that fails until only the request that causes it fails', async () => {
    const { dispatcher, finish, refusals } = openDispatcher();
    const all = [11, 12, 13, 14, 15].map((n) => dispatcher.submit(requestOf(n, 'A')));
    const settled = Promise.allSettled(all);
    for (let step = 0; step < 10; step++) {
      await turn();
      await finish();
    }
    const results = await settled;
    expect(await refusals()).toEqual([]);
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
  });

  it.each(['25P03', '25P04', '57014'])(
    'splits a batch that exceeds a time limit (%s) until only the request that causes it fails',
    async (code) => {
      const dispatcher = new Dispatcher<TestRequest, number>({
        keysOf: ({ keys }) => keys,
        async work(requests) {
          if (requests.some(({ n }) => n === 13)) throw Object.assign(new Error('slow'), { code });
          return requests.map(({ n }) => n);
        },
        metrics: createStockMetrics(new Registry()).dispatcher('test'),
      });
      const all = [11, 12, 13, 14].map((n) => dispatcher.submit(requestOf(n, 'A')));
      const settled = await Promise.allSettled(all);
      expect(settled.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
      ]);
      expect(settled[2]).toMatchObject({ reason: { extensions: { code: 'TRY_AGAIN' } } });
    },
  );

  it('rejects all requests when its work returns fewer outcomes than requests', async () => {
    const dispatcher = new Dispatcher<TestRequest, number>({
      keysOf: ({ keys }) => keys,
      work: async () => [],
      metrics: createStockMetrics(new Registry()).dispatcher('test'),
    });
    const all = [1, 2].map((n) => dispatcher.submit(requestOf(n, 'A')));
    for (const result of await Promise.allSettled(all)) {
      expect(result).toMatchObject({ reason: { name: 'AssertionFailed' } });
    }
  });

  it.each([
    ['unknown', new OutcomeUnknown('the answer to COMMIT was lost')],
    ['busy', tryAgain('others are in the way')],
    ['busy', Object.assign(new Error('statement timeout'), { code: '57014' })],
    ['unavailable', new Error('Connection terminated unexpectedly')],
  ])('counts requests that get TRY_AGAIN as refused: %s', async (reason, error) => {
    const { dispatcher, finish, refusals } = openDispatcher({}, undefined, error);
    const settled = Promise.allSettled([1, 2].map((n) => dispatcher.submit(requestOf(n, 'A'))));
    for (let step = 0; step < 5; step++) {
      await turn();
      await finish();
    }
    await settled;
    expect(await refusals()).toMatchObject([{ labels: { reason }, value: 2 }]);
  });
});
