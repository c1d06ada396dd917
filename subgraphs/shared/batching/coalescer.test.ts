import { Coalescer } from './coalescer.js';

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('requests that come at the same time', () => {
  it('go as one, and each gets its own outcome', async () => {
    const batches: number[][] = [];
    const doubled = new Coalescer<number, number>(async (numbers) => {
      batches.push([...numbers]);
      return numbers.map((each) => (each === 3 ? new Error('not three') : each * 2));
    });
    const all = await Promise.allSettled([1, 2, 3].map((each) => doubled.submit(each, 1000)));
    expect(batches).toEqual([[1, 2, 3]]);
    expect(all).toMatchObject([{ value: 2 }, { value: 4 }, { reason: { message: 'not three' } }]);
  });

  it('wait while as many calls as may be are under way, and go together then', async () => {
    const batches: number[][] = [];
    const answers: (() => void)[] = [];
    const limits = { inFlightMax: 2, batchMax: 3 };
    const same = new Coalescer<number, number>(async (numbers) => {
      batches.push([...numbers]);
      await new Promise<void>((resolve) => answers.push(resolve));
      return numbers;
    }, limits);
    const asked: Promise<number>[] = [];
    for (const each of [1, 2, 3, 4, 5, 6]) {
      asked.push(same.submit(each, 1000));
      await soon();
    }
    expect(batches).toEqual([[1], [2]]);
    answers[0]?.();
    await soon();
    expect(batches).toEqual([[1], [2], [3, 4, 5]]);
    answers[1]?.();
    await soon();
    for (const answer of answers) answer();
    expect(await Promise.all(asked)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('each give up at their own time, and are not sent any more then', async () => {
    const batches: number[][] = [];
    let answer = () => {};
    const same = new Coalescer<number, number>(
      async (numbers) => {
        batches.push([...numbers]);
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return numbers;
      },
      { inFlightMax: 1 },
    );
    const first = same.submit(1, 5000);
    await soon();
    const second = same.submit(2, 10);
    const third = same.submit(3, 5000);
    await expect(second).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    answer();
    expect(await first).toBe(1);
    await soon();
    answer();
    expect(await third).toBe(3);
    expect(batches).toEqual([[1], [3]]);
  });

  it('all fail with what their call throws', async () => {
    const broken = new Coalescer<number, number>(async () => {
      throw new Error('away');
    });
    const all = await Promise.allSettled([broken.submit(1, 1000), broken.submit(2, 1000)]);
    expect(all).toMatchObject([{ reason: { message: 'away' } }, { reason: { message: 'away' } }]);
  });
});
