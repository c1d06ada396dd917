import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { rowsRead } from '../../../tests/harness/rows-read.js';
import { logger, openStock, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { stockKeyOf } from '../../contracts/stock-key.js';
import { newId } from '../../shared/ids.js';
import { createStockMessages } from '../signals/stock-messages.js';
import { type StockChanged, stockChannel } from '../signals/stock-signals.js';
import { createStockFeeds, type StockFeeds } from './stock-feeds.js';
import type { StockFeed, StockFeedLimits } from './stock-watch.js';

const ofItems = /\bstock_item\b/;

describe('the stock feeds of a process', () => {
  let stock: TestStock;
  let create: (limits?: StockFeedLimits) => StockFeeds;
  let publish: (changes: readonly StockChanged[]) => Promise<unknown>;
  const all: StockFeeds[] = [];
  beforeAll(async () => {
    stock = await openStock();
    const { orm } = await stock.engine();
    const messages = createStockMessages(await stock.redisAt(1), logger);
    create = (limits) => {
      const feeds = createStockFeeds(orm.em, messages, logger, limits);
      all.push(feeds);
      return feeds;
    };
    const redis = await stock.redisAt(1);
    publish = (changes) => redis.publish(stockChannel, JSON.stringify(changes));
  });
  afterEach(async () => {
    for (const feeds of all.splice(0)) await feeds.stop();
  });
  afterAll(() => stock.close());

  /** A shop with items `1` to `items` at version 1. */
  async function openShop(items: number, prefix: string = newId()) {
    const shopId = newId();
    await addItems(shopId, prefix, 1, items);
    return { shopId, skuOf: (n: number) => `${prefix.slice(-12)}-${n}` };
  }
  const addItems = (shopId: string, prefix: string, from: number, to: number) =>
    stock.query(
      `insert into stock_item (shop_id, sku, available, version)
       select $1, $2 || '-' || n, 5, 1 from generate_series($3::int, $4::int) as n`,
      [shopId, prefix.slice(-12), from, to],
    );
  const change = (shopId: string, sku: string, version: number): StockChanged => {
    return { shopId, sku, available: 3, version, at: '2026-11-21T00:00:00.000Z' };
  };

  /** Collects the versions that a feed delivers: item → versions, in order. */
  function collect(feed: StockFeed) {
    const seen = new Map<string, number[]>();
    void (async () => {
      for await (const item of feed) {
        const key = stockKeyOf(item);
        seen.set(key, [...(seen.get(key) ?? []), item.version]);
      }
    })();
    return seen;
  }
  const latest = (seen: ReadonlyMap<string, number[]>) =>
    [...seen.values()].map((versions) => versions.at(-1));
  const reaches = (seen: ReadonlyMap<string, number[]>, count: number, version: number) =>
    eventually(
      async () => latest(seen).filter((each) => each === version).length,
      (found) => found === count,
    );

  it('are closed at once if the subscriber leaves while they are opened', async () => {
    const { shopId, skuOf } = await openShop(1);
    const feeds = create();
    const subscriber = new AbortController();
    const opening = feeds.open({ skus: [skuOf(1)], shopId }, subscriber.signal);
    expect([feeds.count(), feeds.items()]).toEqual([1, 1]);
    subscriber.abort();
    expect([feeds.count(), feeds.items()]).toEqual([0, 0]);
    await expect(opening).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
  });

  it('start with the items of each kind of filter, read in few statements', async () => {
    const feeds = create();
    const one = await openShop(50, 'shared-skus');
    const other = await openShop(50, 'shared-skus');
    const opened: StockFeed[] = [];
    const read = await rowsRead(ofItems, async () => {
      const filters = Array.from({ length: 20 }, (_, n) => [
        { skus: [one.skuOf(n + 1), one.skuOf(n + 1), 'no such sku'], shopId: null },
        { skus: [one.skuOf(n + 1), one.skuOf(n + 2)], shopId: other.shopId },
      ]).flat();
      filters.push({ skus: null, shopId: one.shopId } as never);
      opened.push(...(await Promise.all(filters.map((filter) => feeds.open(filter)))));
    });
    expect(opened.map(({ size }) => size)).toEqual([...Array(40).fill(2), 50]);
    expect(read.statements).toBeLessThanOrEqual(12);
    expect(feeds.count()).toBe(41);
  });

  it('catch up in turn on lost messages; PostgreSQL returns changed items only', async () => {
    const feeds = create();
    const shops = [await openShop(7000), await openShop(700)];
    const seen = await Promise.all(
      shops.map(async ({ shopId }) => collect(await feeds.open({ skus: null, shopId }))),
    );
    await Promise.all(seen.map((each, n) => reaches(each, [7000, 700][n] as number, 1)));
    // Feeds of single skus watch some of the same items.
    const { shopId, skuOf } = shops[0] as Awaited<ReturnType<typeof openShop>>;
    await feeds.open({ skus: [skuOf(1), skuOf(2)], shopId: null });
    await feeds.open({ skus: [skuOf(3)], shopId });
    await stock.query('update stock_item set version = 2 where shop_id = $1 and sku = any($2)', [
      shopId,
      [skuOf(1), skuOf(3), skuOf(6999)],
    ]);
    const read = await rowsRead(ofItems, async () => {
      await reaches(seen[0] as Map<string, number[]>, 3, 2);
      await sleep(2500); // two rounds more
    });
    // The first two are watched by two topics, and found for each at most once.
    expect(read.rows).toBeGreaterThanOrEqual(3);
    expect(read.rows).toBeLessThanOrEqual(5);
    await stock.query('update stock_item set version = 3 where shop_id = any($1)', [
      shops.map((shop) => shop.shopId),
    ]);
    const rest = await rowsRead(ofItems, () =>
      Promise.all([
        reaches(seen[0] as Map<string, number[]>, 7000, 3),
        reaches(seen[1] as Map<string, number[]>, 700, 3),
      ]),
    );
    expect(rest.rowsMax).toBeLessThanOrEqual(5000);
  });

  it('find items that are added without a message, by sku, by shop, and in growing shops', async () => {
    const feeds = create();
    const prefix = newId();
    const { shopId, skuOf } = await openShop(3, prefix);
    const later = newId();
    const ofShop = collect(await feeds.open({ skus: null, shopId }));
    const ofSku = collect(await feeds.open({ skus: [skuOf(2)], shopId: null }));
    const ofKey = collect(await feeds.open({ skus: [skuOf(1)], shopId: later }));
    await reaches(ofShop, 3, 1);
    await addItems(later, prefix, 1, 2);
    await addItems(shopId, prefix, 4, 9000);
    await reaches(ofShop, 9000, 1);
    await reaches(ofSku, 2, 1);
    await reaches(ofKey, 1, 1);
    expect([...ofShop.values()].every(({ length }) => length === 1)).toBe(true);
  });

  it('end with TRY_AGAIN when a shop grows beyond 10,000 items, and are refused then', async () => {
    const feeds = create();
    const prefix = newId();
    const { shopId } = await openShop(9999, prefix);
    const other = await openShop(1);
    const stays = await feeds.open({ skus: [other.skuOf(1)], shopId: null });
    const feed = await feeds.open({ skus: null, shopId });
    await addItems(shopId, prefix, 10_000, 10_000);
    await eventually(
      async () => feeds.items(),
      (items) => items === 10_001,
    );
    await addItems(shopId, prefix, 10_001, 10_001);
    await eventually(
      async () => feed.isClosed,
      (isClosed) => isClosed,
    );
    await expect(feed.next()).rejects.toMatchObject({ extensions: { code: 'TRY_AGAIN' } });
    expect({ count: feeds.count(), items: feeds.items() }).toEqual({ count: 1, items: 1 });
    expect(stays.isClosed).toBe(false);
    await expect(feeds.open({ skus: null, shopId })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  it('deliver what Redis publishes at once, to the feeds that watch it', async () => {
    const feeds = create();
    const { shopId, skuOf } = await openShop(3);
    const watching = collect(await feeds.open({ skus: [skuOf(1)], shopId: null }));
    const other = collect(await feeds.open({ skus: [skuOf(2)], shopId }));
    const ofShop = collect(await feeds.open({ skus: null, shopId }));
    await publish([change(shopId, skuOf(1), 9)]);
    await reaches(watching, 1, 9);
    await reaches(ofShop, 1, 9);
    expect(latest(other)).toEqual([1]);
  });

  it('receive a change that is published while they wait for their snapshot', async () => {
    const feeds = create();
    const { shopId, skuOf } = await openShop(1);
    const before = collect(await feeds.open({ skus: [skuOf(1)], shopId: null }));
    const locker = new pg.Client({ connectionString: stock.url });
    await locker.connect();
    await locker.query('begin');
    await locker.query('lock table stock_item in access exclusive mode');
    const opening = feeds.open({ skus: [skuOf(1)], shopId });
    await eventually(
      () =>
        stock.query(`select from pg_locks where not granted and relation = 'stock_item'::regclass`),
      ({ length }) => length > 0,
    );
    await publish([change(shopId, skuOf(1), 9)]);
    await reaches(before, 1, 9);
    await locker.end();
    const { value } = await (await opening).next();
    expect(value.version).toBe(9);
  });

  it('lose no change, and deliver no version twice, however feeds are opened meanwhile', async () => {
    const feeds = create();
    const { shopId, skuOf } = await openShop(2);
    const rounds = 150;
    const seen: Map<string, number[]>[] = [];
    const writing = (async () => {
      for (let version = 2; version <= rounds; version++) {
        await stock.query(
          'update stock_item set version = $3 where shop_id = $1 and sku = any($2)',
          [shopId, [skuOf(1), skuOf(2)], version],
        );
        const changes = [change(shopId, skuOf(1), version), change(shopId, skuOf(2), version)];
        if (version % 7 > 0) void publish(changes);
      }
    })();
    for (let n = 0; n < 60; n++) {
      const feed = await feeds.open({ skus: [skuOf(1), skuOf(2)], shopId: n % 2 ? shopId : null });
      seen.push(collect(feed));
    }
    await writing;
    for (const each of seen) await reaches(each, 2, rounds);
    for (const versions of seen.flatMap((each) => [...each.values()])) {
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    }
  });

  it('are refused beyond the limits of the process, and for more than 10,000 items', async () => {
    const { shopId, skuOf } = await openShop(10_001);
    const refused = (code: string) => expect.objectContaining({ extensions: { code } });
    const feeds = create({ feedsMax: 3, itemsMax: 20_000 });
    await expect(feeds.open({ skus: null, shopId })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    });
    expect({ count: feeds.count(), items: feeds.items() }).toEqual({ count: 0, items: 0 });
    await stock.query('delete from stock_item where shop_id = $1 and sku = $2', [
      shopId,
      skuOf(10_001),
    ]);
    const opened = [
      await feeds.open({ skus: null, shopId }),
      await feeds.open({ skus: [skuOf(1)], shopId: null }),
    ];
    await expect(feeds.open({ skus: null, shopId })).rejects.toEqual(refused('TRY_AGAIN'));
    opened.push(await feeds.open({ skus: [skuOf(2)], shopId }));
    await expect(feeds.open({ skus: [skuOf(3)], shopId })).rejects.toEqual(refused('TRY_AGAIN'));
    expect({ count: feeds.count(), items: feeds.items() }).toEqual({ count: 3, items: 10_002 });
    for (const feed of opened) await feed.return();
    expect({ count: feeds.count(), items: feeds.items() }).toEqual({ count: 0, items: 0 });
  });
});
