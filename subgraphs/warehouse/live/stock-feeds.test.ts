import { logger, openStock, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { newId } from '../../shared/ids.js';
import {
  createStockFeed,
  createStockFeeds,
  type StockFeed,
  type StockFeeds,
} from './stock-feeds.js';

const change = (version: number, sku = 'A') => {
  return { shopId: 'shop', sku, available: 100 - version, version, at: '2026-11-21T00:00:00.000Z' };
};
const openFeed = (closed: StockFeed[] = []) =>
  createStockFeed({ skus: ['A', 'B'], shopId: null }, (feed) => closed.push(feed));

describe('the feed of one subscriber', () => {
  it('keeps the latest change of each item until it is read', async () => {
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

  it('skips older versions and items that it does not watch', async () => {
    const feed = openFeed();
    feed.push(change(5));
    expect((await feed.next()).value).toEqual(change(5));
    for (const old of [change(5), change(4), change(9, 'C')]) feed.push(old);
    const next = feed.next();
    feed.push(change(6));
    expect((await next).value).toEqual(change(6));
    await feed.return();
  });

  it('ends a waiting reader when it is closed, and is removed once', async () => {
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

describe('the feeds of whole shops', () => {
  let stock: TestStock;
  let feeds: StockFeeds;
  beforeAll(async () => {
    stock = await openStock();
    const { orm } = await stock.engine();
    feeds = createStockFeeds(orm.em, await stock.redisAt(1), logger);
  });
  afterAll(async () => {
    await feeds.stop();
    await stock.close();
  });

  async function openShop(items: number) {
    const shopId = newId();
    await stock.query(
      `insert into stock_item (shop_id, sku, available, version)
       select $1, 'SKU-' || n, 5, 1 from generate_series(1, $2::int) as n`,
      [shopId, items],
    );
    return shopId;
  }

  it('catch up in turn, 1,000 items a second, with all items of all shops', async () => {
    const shopIds = [await openShop(1500), await openShop(700)];
    const seen = new Map<string, number>();
    for (const shopId of shopIds) {
      const feed = await feeds.open({ skus: null, shopId });
      void (async () => {
        for await (const { sku, version } of feed) seen.set(`${shopId} ${sku}`, version);
      })();
    }
    await eventually(
      async () => seen.size,
      (size) => size === 2200,
    );
    // A change that is not published.
    await stock.query('update stock_item set version = 2 where shop_id = any($1)', [shopIds]);
    const caughtUp = () => [...seen.values()].filter((version) => version === 2).length;
    const first = await eventually(
      async () => caughtUp(),
      (count) => count > 0,
    );
    expect(first).toBeLessThanOrEqual(1000);
    await eventually(
      async () => caughtUp(),
      (count) => count === 2200,
    );
  });

  it('are not opened for a shop with more than 10,000 items', async () => {
    const shopId = await openShop(10_001);
    const refused = { extensions: { code: 'BAD_USER_INPUT' } };
    await expect(feeds.open({ skus: null, shopId })).rejects.toMatchObject(refused);
    expect(feeds.count()).toBe(2);
    const one = await feeds.open({ skus: ['SKU-1'], shopId });
    await one.return();
  });
});
