import { eventually } from '../../../tests/harness/wait.js';
import { Coalescer } from './coalescer.js';

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

describe('requests that arrive at the same time', () => {
  it('are sent as one batch, and each gets its own outcome', async () => {
    const batches: number[][] = [];
    const doubled = new Coalescer<number, number>(async (numbers) => {
      batches.push([...numbers]);
      return numbers.map((each) => (each === 3 ? new Error('not three') : each * 2));
    });
    const all = await Promise.allSettled([1, 2, 3].map((each) => doubled.submit(each, 1000)));
    expect(batches).toEqual([[1, 2, 3]]);
    expect(all).toMatchObject([{ value: 2 }, { value: 4 }, { reason: { message: 'not three' } }]);
  });

  it('wait while the maximum number of batches is in flight, and are then sent together', async () => {
    const batches: number[][] = [];
    const answers: (() => void)[] = [];
    const limits = { inFlightMax: 2, batchMax: 3 };
    const same = new Coalescer<number, number>(async (numbers) => {
      batches.push([...numbers]);
      await new Promise<void>((resolve) => answers.push(resolve));
      return numbers;
    }, limits);
    const submitted: Promise<number>[] = [];
    for (const each of [1, 2, 3, 4, 5, 6]) {
      submitted.push(same.submit(each, 1000));
      await pause();
    }
    expect(batches).toEqual([[1], [2]]);
    answers[0]?.();
    await pause();
    expect(batches).toEqual([[1], [2], [3, 4, 5]]);
    answers[1]?.();
    await pause();
    for (const answer of answers) answer();
    expect(await Promise.all(submitted)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('are sent beside a batch that is slow, or when they fill one, and else after it', async () => {
    const batches: number[][] = [];
    const answers: (() => void)[] = [];
    const same = new Coalescer<number, number>(
      async (numbers) => {
        batches.push([...numbers]);
        await new Promise<void>((resolve) => answers.push(resolve));
        return numbers;
      },
      { inFlightMax: 2, besideAfterMs: 150, batchMax: 3 },
    );
    const submitted = [same.submit(1, 10_000)];
    await pause();
    submitted.push(same.submit(2, 10_000));
    await pause();
    answers[0]?.();
    await pause();
    expect(batches).toEqual([[1], [2]]);

    submitted.push(...[3, 4, 5].map((each) => same.submit(each, 10_000)));
    await pause();
    expect(batches).toEqual([[1], [2], [3, 4, 5]]);
    answers[1]?.();
    await pause();
    submitted.push(same.submit(6, 10_000));
    await eventually(
      async () => batches.length,
      (count) => count === 4,
    );
    expect(batches[3]).toEqual([6]);
    // The slow one is still in flight: it holds up nothing that comes after the others.
    answers[3]?.();
    await pause();
    submitted.push(same.submit(7, 10_000));
    await pause();
    expect(batches[4]).toEqual([7]);
    for (const answer of answers) answer();
    expect(await Promise.all(submitted)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('are refused if their batch is not sent in time, and are not sent after it', async () => {
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
      { inFlightMax: 1, waitMaxMs: 50 },
    );
    const first = same.submit(1, 60_000);
    await pause();
    const waiting = [2, 3].map((each) => same.submit(each, 60_000));
    const refused = { status: 'rejected', reason: { extensions: { code: 'TRY_AGAIN' } } };
    expect(await Promise.allSettled(waiting)).toMatchObject([refused, refused]);
    answer();
    expect(await first).toBe(1);
    const next = same.submit(4, 60_000);
    await pause();
    answer();
    expect(await next).toBe(4);
    expect(batches).toEqual([[1], [4]]);
  });

  it('each time out at their own deadline, and are not sent after it', async () => {
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
    await pause();
    const second = same.submit(2, 10);
    const third = same.submit(3, 5000);
    await expect(second).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    answer();
    expect(await first).toBe(1);
    await pause();
    answer();
    expect(await third).toBe(3);
    expect(batches).toEqual([[1], [3]]);
  });

  it('all fail with the error of their batch', async () => {
    const broken = new Coalescer<number, number>(async () => {
      throw new Error('unreachable');
    });
    const all = await Promise.allSettled([broken.submit(1, 1000), broken.submit(2, 1000)]);
    expect(all).toMatchObject([
      { reason: { message: 'unreachable' } },
      { reason: { message: 'unreachable' } },
    ]);
  });
});
