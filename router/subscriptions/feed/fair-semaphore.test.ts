import { FairSemaphore, type Lane } from './fair-semaphore.js';

/** A lane with numbered work, which ends when the test says so. */
function createLane(name: string, count: number, begun: string[], ends: (() => void)[]): Lane {
  let n = 0;
  return {
    begin() {
      if (n === count) return undefined;
      begun.push(`${name}${n++}`);
      return new Promise((resolve) => ends.push(resolve));
    },
    failed(error) {
      throw error;
    },
  };
}
const turn = () => new Promise(setImmediate);

describe('the semaphore of completions', () => {
  it('runs at most its number at once', async () => {
    const semaphore = new FairSemaphore(3);
    const [begun, ends]: [string[], (() => void)[]] = [[], []];
    semaphore.offer(createLane('a', 10, begun, ends));
    expect(begun).toEqual(['a0', 'a1', 'a2']);
    ends[1]?.();
    await turn();
    expect(begun).toEqual(['a0', 'a1', 'a2', 'a3']);
    expect([semaphore.running, semaphore.waiting]).toEqual([3, 1]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ] as const)(
    'goes on when the work of a lane %s, and reports it to the lane',
    async (_, begin) => {
      const semaphore = new FairSemaphore(1);
      const failures: unknown[] = [];
      const [begun, ends]: [string[], (() => void)[]] = [[], []];
      semaphore.offer({ begin, failed: (error) => failures.push((error as Error).message) });
      semaphore.offer(createLane('a', 1, begun, ends));
      await turn();
      expect(failures).toEqual(['broken']);
      expect(begun).toEqual(['a0']);
      expect([semaphore.running, semaphore.waiting]).toEqual([1, 1]);
    },
  );

  it('gives lanes turns: one with little work waits for one round, not for all work of another', async () => {
    const semaphore = new FairSemaphore(2);
    const [begun, ends]: [string[], (() => void)[]] = [[], []];
    semaphore.offer(createLane('many', 10_000, begun, ends));
    semaphore.offer(createLane('few', 2, begun, ends));
    semaphore.offer(createLane('one', 1, begun, ends));
    for (let n = 0; n < 8; n++) {
      ends[n]?.();
      await turn();
    }
    expect(begun.slice(2, 8)).toEqual(['many2', 'few0', 'one0', 'many3', 'few1', 'many4']);
  });

  it('gives no turn to a lane that was removed, and asks one without work only once', async () => {
    const semaphore = new FairSemaphore(1);
    const [begun, ends]: [string[], (() => void)[]] = [[], []];
    const removed = createLane('removed', 5, begun, ends);
    semaphore.offer(createLane('a', 2, begun, ends));
    semaphore.offer(removed);
    semaphore.remove(removed);
    ends[0]?.();
    await turn();
    ends[1]?.();
    await turn();
    expect(begun).toEqual(['a0', 'a1']);
    expect([semaphore.running, semaphore.waiting]).toEqual([0, 0]);
  });
});
