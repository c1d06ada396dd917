import { Registry } from '../../shared/metrics.js';
import { Dispatcher } from './dispatcher.js';
import type { DispatcherLimits } from './dispatcher-limits.js';
import { createStockMetrics } from './metrics.js';
import type { StockLocks } from './stock-locks.js';

interface Asked {
  readonly n: number;
  readonly keys: readonly string[];
}
const asked = (n: number, ...keys: string[]): Asked => ({ n, keys });
const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A dispatcher whose batches wait until the test lets them go. */
function openDispatcher(limits: Partial<DispatcherLimits> = {}, locks?: StockLocks) {
  const batches: number[][] = [];
  const waiting: Array<() => void> = [];
  const dispatcher = new Dispatcher<Asked, number>({
    keysOf: ({ keys }) => keys,
    async work(requests) {
      batches.push(requests.map(({ n }) => n));
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (requests.some(({ n }) => n === 13)) throw new Error('thirteen is poison');
      return requests.map(({ n }) => n * 10);
    },
    metrics: createStockMetrics(new Registry()).dispatcher('test'),
    limits,
    locks,
  });
  const letGo = async (from = 0) => {
    for (const done of waiting.splice(from)) done();
    await turn();
  };
  return { dispatcher, batches, letGo };
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
    const limits = { lockHoldMaxMs: 1000, sharePauseMs: 1 };
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
    const { dispatcher, batches } = openDispatcher({ waitMaxMs: 30 }, neverFree);
    await expect(dispatcher.submit(asked(1, 'A'))).rejects.toMatchObject({
      extensions: { code: 'TRY_AGAIN' },
    });
    expect(batches).toEqual([]);
  });

  it('splits a batch that fails, until it fails only for the one who is to blame', async () => {
    const { dispatcher, letGo } = openDispatcher();
    const all = [11, 12, 13, 14, 15].map((n) => dispatcher.submit(asked(n, 'A')));
    const settled = Promise.allSettled(all);
    for (let step = 0; step < 10; step++) {
      await turn();
      await letGo();
    }
    const results = await settled;
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      true,
      false,
      true,
      true,
    ]);
  });
});
