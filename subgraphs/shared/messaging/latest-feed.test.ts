import { jest } from '@jest/globals';
import { LatestFeed } from './latest-feed.js';

const change = (version: number) => ({ version });

describe('the feed of one subscriber', () => {
  afterEach(() => jest.useRealTimers());

  it('keeps the latest change of each row until it is read', async () => {
    const feed = new LatestFeed<{ version: number }>(() => {});
    for (let version = 1; version <= 1000; version++) {
      feed.push('A', change(version));
      feed.push('B', change(version));
    }
    expect(feed.size).toBe(2);
    expect(await feed.next()).toEqual({ value: change(1000), done: false });
    expect(await feed.next()).toEqual({ value: change(1000), done: false });
    const next = feed.next();
    feed.push('A', change(1001));
    expect(await next).toEqual({ value: change(1001), done: false });
    await feed.return();
  });

  it('has a single change at once, and the latest of those that follow after 200 ms', async () => {
    jest.useFakeTimers();
    const feed = new LatestFeed<{ version: number }>(() => {});
    const read: number[] = [];
    const readAll = async () => {
      for await (const { version } of feed) read.push(version);
    };
    const reading = readAll();
    feed.push('A', change(1));
    await jest.advanceTimersByTimeAsync(0);
    expect(read).toEqual([1]);
    feed.push('A', change(2));
    feed.push('A', change(3));
    await jest.advanceTimersByTimeAsync(199);
    expect(read).toEqual([1]);
    await jest.advanceTimersByTimeAsync(1);
    expect(read).toEqual([1, 3]);
    await jest.advanceTimersByTimeAsync(200);
    feed.push('A', change(4));
    await jest.advanceTimersByTimeAsync(0);
    expect(read).toEqual([1, 3, 4]);
    await feed.return();
    await reading;
  });

  it('keeps an unread change when the same or an older version comes', async () => {
    const feed = new LatestFeed<{ version: number; from?: string }>(() => {});
    feed.push('A', { version: 5, from: 'first' });
    feed.push('A', { version: 5, from: 'second' });
    feed.push('A', change(4));
    expect((await feed.next()).value).toEqual({ version: 5, from: 'first' });
    await feed.return();
  });

  it('ends a waiting reader when it is closed, and is removed once', async () => {
    const closed: string[] = [];
    const feed = new LatestFeed<{ version: number }>(() => closed.push('closed'));
    const next = feed.next();
    await feed.return();
    await feed.return();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await feed.next()).toEqual({ value: undefined, done: true });
    expect(closed).toEqual(['closed']);
  });
});
