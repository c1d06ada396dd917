import { jest } from '@jest/globals';
import { RefreshPace } from './refresh-pace.js';

describe('what feeds refresh', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const feedOf = (entities: number) => {
    const feed = {
      left: entities,
      refreshNext() {
        feed.left -= 1;
        return feed.left > 0;
      },
    };
    return feed;
  };

  it('is begun 64 at a time, twice a second, each feed in turn', () => {
    const pace = new RefreshPace();
    const feeds = [feedOf(1000), feedOf(10), feedOf(1000)];
    for (const feed of feeds) pace.offer(feed);
    const left = () => feeds.map((feed) => feed.left);
    jest.advanceTimersByTime(499);
    expect(left()).toEqual([1000, 10, 1000]);
    jest.advanceTimersByTime(1);
    expect(left()).toEqual([973, 0, 973]);
    jest.advanceTimersByTime(500);
    expect(left()).toEqual([941, 0, 941]);
    for (const feed of feeds) pace.remove(feed);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps no timer when nothing is left', () => {
    const pace = new RefreshPace();
    pace.offer(feedOf(64));
    jest.advanceTimersByTime(500);
    expect(jest.getTimerCount()).toBe(0);
  });
});
