import { OutcomeUnknown, tryAgain } from '../../../shared/errors.js';
import { Registry } from '../../../shared/observability/metrics.js';
import { createStockMetrics } from '../../stock/metrics.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatcherLimits } from './dispatcher-limits.js';
import type { StockLocks } from './stock-locks.js';

interface Asked {
  readonly n: number;
  readonly keys: readonly string[];
}
const asked = (n: number, ...keys: string[]): Asked => ({ n, keys });
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A dispatcher whose batches wait until the test lets them go. */
function openDispatcher(
  limits: Partial<DispatcherLimits> = {},
  locks?: StockLocks,
  failure?: Error,
) {
  const batches: number[][] = [];
  const waiting: Array<() => void> = [];
  const registry = new Registry();
  const dispatcher = new Dispatcher<Asked, number>({
    keysOf: ({ keys }) => keys,
    async work(requests) {
      batches.push(requests.map(({ n }) => n));
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (failure) throw failure;
      if (requests.some(({ n }) => n === 13)) throw new Error('thirteen is poison');
      return requests.map(({ n }) => n * 10);
    },
    metrics: createStockMetrics(registry).dispatcher('test'),
    limits,
    locks,
  });
  const letGo = async (from = 0) => {
    for (const done of waiting.splice(from)) done();
    await turn();
  };
  const refusals = async () =>
    (await registry.getSingleMetric('holdfast_stock_refusals_total')?.get())?.values;
  return { dispatcher, batches, letGo, refusals };
}

describe('the dispatcher', () => {
  it('makes one batch of what is asked at once, and the next of what is asked meanwhile', async () => {
    const { dispatcher, batches, letGo } = openDispatcher();
    const first = [1, 2, 3].map((n) => dispatcher.submit(asked(n, 'A')));
    await turn();
    const second = [4, 5].map((n) => dispatcher.submit(asked(n, 'A')));
    await turn();
    expect(batches).toEqual([[1, 2, 3]]);
    await letGo();
    expect(await Promise.all(first)).toEqual([10, 20, 30]);
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    await letGo();
    expect(await Promise.all(second)).toEqual([40, 50]);
  });

  it('takes no more requests, and no more keys, into a batch than its limits', async () => {
    const { dispatcher, batches, letGo } = openDispatcher({ batchMax: 2, lanesMax: 1 });
    void [1, 2, 3].map((n) => dispatcher.submit(asked(n, 'A')));
    await turn();
    await letGo();
    expect(batches).toEqual([[1, 2], [3]]);
    const byKeys = openDispatcher({ keysPerBatchMax: 2, lanesMax: 1 });
    void ['A', 'B', 'C'].map((key, n) => byKeys.dispatcher.submit(asked(n, key)));
    await turn();
    await byKeys.letGo();
    expect(byKeys.batches).toEqual([[0, 1], [2]]);
    await letGo();
    await byKeys.letGo();
  });

  it('does not let a key that is busy keep up the others, nor any request overtake on its key', async () => {
    const { dispatcher, batches, letGo } = openDispatcher();
    void dispatcher.submit(asked(1, 'A'));
    await turn();
    void dispatcher.submit(asked(2, 'A', 'B'));
    void dispatcher.submit(asked(3, 'B')); // behind 2, which waits for A
    void dispatcher.submit(asked(4, 'C'));
    await turn();
    expect(batches).toEqual([[1], [4]]);
    await letGo();
    expect(batches).toEqual([[1], [4], [2, 3]]);
    await letGo();
  });

  it('lets go of all its locks at the same time when another process waits for one of them', async () => {
    const held = new Set<string>();
    const wantedByOthers: StockLocks = {
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
    const { dispatcher, batches, letGo } = openDispatcher(limits, wantedByOthers);
    void dispatcher.submit(asked(1, 'A'));
    await turn();
    void dispatcher.submit(asked(2, 'B'));
    await turn();
    await letGo(1); // the second alone
    void dispatcher.submit(asked(3, 'B'));
    void dispatcher.submit(asked(4, 'C'));
    await turn();
    expect([...held]).toEqual(['A']);
    await letGo();
    await turn();
    expect(batches.flat().sort()).toEqual([1, 2, 3, 4]);
    await letGo();
  });

  it('keys that another process has keep up nobody else, though there are as many as lanes', async () => {
    const taken = new Set(['A', 'B', 'C', 'D']);
    const locks: StockLocks = {
      async lock(keys, isNeeded) {
        while (keys.some((key) => taken.has(key))) {
          if (!isNeeded()) return null;
          await turn();
        }
        return { release: async () => false };
      },
    };
    const limits = { lanesMax: 4, batchLockWaitMaxMs: 1, requestLockWaitMaxMs: 1, deferMs: 1 };
    const { dispatcher, batches, letGo } = openDispatcher(limits, locks);
    const held = [...taken].map((key, n) => dispatcher.submit(asked(n, key)));
    await turn();
    const others = ['E', 'F', 'G'].map((key, n) => dispatcher.submit(asked(10 + n, key)));
    const served = Promise.all(others);
    let done = false;
    void served.then(() => {
      done = true;
    });
    for (let n = 0; n < 40 && !done; n++) {
      await turn();
      await letGo();
    }
    expect(batches.flat().sort()).toEqual([10, 11, 12]);
    taken.clear();
    for (let n = 0; n < 40 && batches.flat().length < 7; n++) {
      await turn();
      await letGo();
    }
    await letGo();
    expect(await Promise.all([...held, served])).toEqual([0, 10, 20, 30, [100, 110, 120]]);
  });

  it('refuses at once what is beyond the queue', async () => {
    const { dispatcher, letGo } = openDispatcher({ queueMax: 2 });
    const accepted = [1, 2].map((n) => dispatcher.submit(asked(n, 'A')));
    const refused = dispatcher.submit(asked(3, 'A'));
    await expect(refused).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    await turn();
    await letGo();
    expect(await Promise.all(accepted)).toEqual([10, 20]);
  });

  it('refuses those whose turn does not come in time', async () => {
    const neverFree: StockLocks = {
      async lock(_keys, isNeeded) {
        while (isNeeded()) await turn();
        return null;
      },
    };
    const { dispatcher, batches, refusals } = openDispatcher({ waitMaxMs: 30 }, neverFree);
    const all = [1, 2, 3].map((n) => dispatcher.submit(asked(n, 'A')));
    for (const result of await Promise.allSettled(all)) {
      expect(result).toMatchObject({ reason: { extensions: { code: 'TRY_AGAIN' } } });
    }
    expect(batches).toEqual([]);
    expect(await refusals()).toMatchObject([{ labels: { reason: 'late' }, value: 3 }]);
  });

  it('splits a batch that fails, until it fails only for the one who is to blame', async () => {
    const { dispatcher, letGo, refusals } = openDispatcher();
    const all = [11, 12, 13, 14, 15].map((n) => dispatcher.submit(asked(n, 'A')));
    const settled = Promise.allSettled(all);
    for (let step = 0; step < 10; step++) {
      await turn();
      await letGo();
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

  it('leaves no request without an answer when its work has fewer outcomes than requests', async () => {
    const dispatcher = new Dispatcher<Asked, number>({
      keysOf: ({ keys }) => keys,
      work: async () => [],
      metrics: createStockMetrics(new Registry()).dispatcher('test'),
    });
    const all = [1, 2].map((n) => dispatcher.submit(asked(n, 'A')));
    for (const result of await Promise.allSettled(all)) {
      expect(result).toMatchObject({ reason: { name: 'AssertionFailed' } });
    }
  });

  it.each([
    ['unknown', new OutcomeUnknown('the answer to COMMIT was lost')],
    ['busy', tryAgain('others are in the way')],
    ['busy', Object.assign(new Error('statement timeout'), { code: '57014' })],
    ['away', new Error('Connection terminated unexpectedly')],
  ])('counts those who are told to ask again as refused: %s', async (reason, error) => {
    const { dispatcher, letGo, refusals } = openDispatcher({}, undefined, error);
    const settled = Promise.allSettled([1, 2].map((n) => dispatcher.submit(asked(n, 'A'))));
    for (let step = 0; step < 5; step++) {
      await turn();
      await letGo();
    }
    await settled;
    expect(await refusals()).toMatchObject([{ labels: { reason }, value: 2 }]);
  });
});
