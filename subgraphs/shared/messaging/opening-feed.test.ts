import { openingFeed } from './opening-feed.js';

async function* numbers() {
  yield* [1, 2];
}

describe('a feed that is being opened', () => {
  it('is read once it has been opened', async () => {
    const seen: number[] = [];
    for await (const n of openingFeed(async () => numbers())) seen.push(n);
    expect(seen).toEqual([1, 2]);
  });

  it('reports to its subscriber why it could not be opened', async () => {
    const feed = openingFeed(() => Promise.reject(new Error('too large')));
    await expect(feed.next()).rejects.toThrow('too large');
  });

  it('notifies the opening that the subscriber has left, who sees the end and no error', async () => {
    const feed = openingFeed(
      (hasLeft) =>
        new Promise<never>((_, reject) => {
          hasLeft.addEventListener('abort', () => reject(new Error('left')));
        }),
    );
    const waiting = feed.next();
    await feed.return?.();
    expect(await waiting).toEqual({ value: undefined, done: true });
  });

  it('is closed if the subscriber left before it was opened', async () => {
    const opened = Promise.withResolvers<AsyncGenerator<number>>();
    const feed = openingFeed(() => opened.promise);
    await feed.return?.();
    const source = numbers();
    opened.resolve(source);
    await new Promise(setImmediate);
    expect(await source.next()).toEqual({ value: undefined, done: true });
  });
});
