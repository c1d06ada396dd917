import { withTimeLimit } from './time-limit.js';

describe('a request with a time limit', () => {
  const untilAborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });

  it('fails with a TimeoutError once the time is over', async () => {
    await expect(withTimeLimit(10, untilAborted)).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'no answer within 10 ms',
    });
  });

  it('is not aborted once it has ended', async () => {
    let known: AbortSignal | undefined;
    const answer = await withTimeLimit(5, async (signal) => {
      known = signal;
      return 'done';
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([answer, known?.aborted]).toEqual(['done', false]);
  });
});
