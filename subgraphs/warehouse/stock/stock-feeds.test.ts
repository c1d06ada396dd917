import { createStockFeed, type StockFeed } from './stock-feeds.js';

const change = (version: number, sku = 'A') => {
  return { shopId: 'shop', sku, available: 100 - version, version, at: '2026-11-21T00:00:00.000Z' };
};
const openFeed = (closed: StockFeed[] = []) =>
  createStockFeed({ skus: ['A', 'B'], shopId: null }, (feed) => closed.push(feed));

describe('the feed of one subscriber', () => {
  it('keeps the latest of each row, however many come before it is read', async () => {
    const feed = openFeed();
    for (let version = 1; version <= 1000; version++) {
      feed.push(change(version));
      feed.push(change(version, 'B'));
    }
    expect(await feed.next()).toEqual({ value: change(1000), done: false });
    expect(await feed.next()).toEqual({ value: change(1000, 'B'), done: false });
    const next = feed.next();
    feed.push(change(1001));
    expect(await next).toEqual({ value: change(1001), done: false });
    await feed.return();
  });

  it('passes over an older version, and what it does not watch', async () => {
    const feed = openFeed();
    feed.push(change(5));
    expect((await feed.next()).value).toEqual(change(5));
    for (const old of [change(5), change(4), change(9, 'C')]) feed.push(old);
    const next = feed.next();
    feed.push(change(6));
    expect((await next).value).toEqual(change(6));
    await feed.return();
  });

  it('ends a reader that waits when it is closed, and is let go once', async () => {
    const closed: StockFeed[] = [];
    const feed = openFeed(closed);
    const next = feed.next();
    await feed.return();
    await feed.return();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(await feed.next()).toEqual({ value: undefined, done: true });
    expect(closed).toEqual([feed]);
  });
});
