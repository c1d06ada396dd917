import { groupWrites } from './group-writes.js';

/** Writes numbers; a bad one fails its whole statement. */
function writer(isBad: (n: number) => Error | null = () => null) {
  const statements: number[][] = [];
  const write = groupWrites(async (numbers: readonly number[]) => {
    statements.push([...numbers]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const n of numbers) {
      const error = isBad(n);
      if (error) throw error;
    }
    return numbers.map((n) => n * 10);
  });
  return { write, statements };
}

describe('grouped writes', () => {
  it('that arrive at the same time are one statement, and each gets its own outcome', async () => {
    const { write, statements } = writer();
    expect(await Promise.all([1, 2, 3].map(write))).toEqual([10, 20, 30]);
    expect(statements).toEqual([[1, 2, 3]]);
  });

  it('that arrive while a statement is in flight wait for it, and are sent together', async () => {
    const { write, statements } = writer();
    const first = write(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await Promise.all([first, ...[2, 3, 4].map(write)])).toEqual([10, 20, 30, 40]);
    expect(statements).toEqual([[1], [2, 3, 4]]);
  });

  it.each([
    ['the first of a request are refused', { waitMaxMs: 30 }, 'rejected'],
    ['not the first are never refused half-way', {}, 'fulfilled'],
  ])('that wait too long and are %s', async (_, limits, status) => {
    const release = Promise.withResolvers<void>();
    const write = groupWrites(async (numbers: readonly number[]) => {
      await release.promise;
      return numbers;
    }, limits);
    const inFlight: Promise<number>[] = [];
    for (const n of [1, 2]) {
      inFlight.push(write(n));
      await new Promise((resolve) => setTimeout(resolve, 160));
    }
    const waiting = write(3);
    waiting.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 400));
    release.resolve();
    const [outcome] = await Promise.allSettled([waiting]);
    expect(outcome?.status).toBe(status);
    expect(await Promise.all(inFlight)).toEqual([1, 2]);
  });

  it('are repeated one by one if the group fails, so that only the bad one fails', async () => {
    const taken = new Error('taken');
    const { write, statements } = writer((n) => (n === 2 ? taken : null));
    const outcomes = await Promise.allSettled([1, 2, 3].map(write));
    expect(
      outcomes.map((each) => (each.status === 'fulfilled' ? each.value : each.reason)),
    ).toEqual([10, taken, 30]);
    expect(statements).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it('all fail, and are not repeated, if the database is unreachable', async () => {
    const { write, statements } = writer(() => Object.assign(new Error(), { code: 'ECONNRESET' }));
    const outcomes = await Promise.allSettled([1, 2].map(write));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(statements).toHaveLength(1);
  });
});
