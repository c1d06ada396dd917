import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { FeedIndex, type FeedIndexOptions } from './feed-index.js';
import { LatestFeed } from './latest-feed.js';

interface Row {
  readonly id: string;
  readonly group: string;
  readonly version: number;
}

const row = (id: string, version: number, group = 'g'): Row => ({ id, group, version });
const id = (name: string) => `id ${name}`;
const group = (name: string) => `group ${name}`;

const options: FeedIndexOptions<Row, string> = {
  kinds: 2,
  kindOf: (watch) => (watch.startsWith('id ') ? 0 : 1),
  nameOf: (watch) => watch,
  topicOf: (each, kind) => (kind === 0 ? id(each.id) : group(each.group)),
  keyOf: (each) => each.id,
  feedsMax: 10_000,
  rowsMax: 100_000,
  feedRowsMax: 100_000,
};
const indexOf = (limits: Partial<typeof options> = {}) =>
  new FeedIndex<Row, string>({ ...options, ...limits });

/** The rows that a feed has for its reader. */
async function unread(feed: LatestFeed<Row>): Promise<Row[]> {
  feed.release();
  const rows: Row[] = [];
  while (feed.size > 0) rows.push((await feed.next()).value);
  return rows;
}

const refused = { extensions: { code: 'TRY_AGAIN' } };

describe('an index of feeds', () => {
  afterEach(() => jest.restoreAllMocks());

  it('delivers a change to the feeds that watch it, and does not touch 1,000 others', async () => {
    const index = indexOf();
    for (let n = 0; n < 1000; n++) await index.load(index.open([id(`other-${n}`)]), []);
    const watching = [index.open([id('a'), id('b')]), index.open([group('g')])];
    const push = jest.spyOn(LatestFeed.prototype, 'push');
    await index.deliver([row('a', 1)]);
    expect(push).toHaveBeenCalledTimes(2);
    for (const feed of watching) expect(await unread(feed)).toEqual([row('a', 1)]);
    await index.deliver([row('unwatched', 1, 'h')]);
    expect(push).toHaveBeenCalledTimes(2);
    index.closeAll();
  });

  it('delivers each version once, and never an older one', async () => {
    const index = indexOf();
    const feed = index.open([id('a')]);
    await index.load(feed, [row('a', 2)]);
    expect(await unread(feed)).toEqual([row('a', 2)]);
    await index.deliver([row('a', 1), row('a', 2)]);
    expect(await unread(feed)).toEqual([]);
    await index.deliver([row('a', 3), row('a', 5), row('a', 4)]);
    expect(await unread(feed)).toEqual([row('a', 5)]);
    index.closeAll();
  });

  it('gives a newcomer its snapshot, and others only what changed', async () => {
    const index = indexOf();
    const first = index.open([id('a'), id('b')]);
    await index.load(first, [row('a', 1), row('b', 1)]);
    await unread(first);
    const second = index.open([id('a'), id('b')]);
    await index.load(second, [row('a', 1), row('b', 2)]);
    expect(await unread(second)).toEqual([row('a', 1), row('b', 2)]);
    expect(await unread(first)).toEqual([row('b', 2)]);
    index.closeAll();
  });

  it('keeps a change that arrives between opening and the snapshot', async () => {
    const index = indexOf();
    const feed = index.open([id('a'), id('b')]);
    await index.deliver([row('a', 7)]);
    await index.load(feed, [row('a', 6), row('b', 1)]);
    expect(await unread(feed)).toEqual([row('a', 7), row('b', 1)]);
    index.closeAll();
  });

  it('frees what a feed watched, after 10,000 rounds of opening and closing', async () => {
    const index = indexOf();
    const kept = index.open([group('g')]);
    await index.load(kept, [row('a', 1)]);
    const topics = index.topics();
    for (let n = 0; n < 10_000; n++) {
      const feed = index.open([id(`a-${n}`), id('a'), group('g')]);
      if (n % 3 > 0) await index.load(feed, [row('a', 1), row(`a-${n}`, 1, `other-${n}`)]);
      await feed.return();
      await feed.return();
    }
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 1, rows: 1 });
    expect([...topics]).toHaveLength(1);
    await kept.return();
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 0, rows: 0 });
    expect([...index.topics()]).toEqual([]);
  });

  it('refuses feeds beyond its limit, and those that would watch too many rows', async () => {
    const index = indexOf({ feedsMax: 3, rowsMax: 10 });
    const feeds = [index.open([id('a')]), index.open([group('g')])];
    const rows = Array.from({ length: 9 }, (_, n) => row(`row-${n}`, 1));
    await index.load(feeds[1] as LatestFeed<Row>, rows);
    expect(index.rows).toBe(10);
    expect(() => index.open([id('b')])).toThrow(expect.objectContaining(refused));
    expect(index.size).toBe(2);
    await feeds[1]?.return();
    expect(index.rows).toBe(1);
    const many = index.open([group('g')]);
    await expect(index.load(many, [...rows, row('row-9', 1)])).rejects.toMatchObject(refused);
    await many.return();
    expect(index.rows).toBe(1);
    feeds.push(index.open([id('b')]), index.open([id('c')]));
    expect(() => index.open([id('d')])).toThrow(expect.objectContaining(refused));
    index.closeAll();
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 0, rows: 0 });
  });

  it('ends feeds that would watch too many rows, and only as many as needed', async () => {
    const index = indexOf({ rowsMax: 10 });
    const other = index.open([id('other')]);
    await index.load(other, [row('other', 1, 'h')]);
    const feeds = [index.open([group('g')]), index.open([group('g')])];
    for (const feed of feeds) await index.load(feed, [row('a', 1), row('b', 1)]);
    await index.deliver([row('c', 1), row('d', 1)]);
    expect(index.rows).toBe(9);
    await index.deliver([row('e', 1), row('f', 1)]);
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 2, rows: 7 });
    expect(feeds.map((feed) => feed.isClosed)).toEqual([false, true]);
    await expect(feeds[1]?.next()).rejects.toMatchObject(refused);
    expect(await unread(feeds[0] as LatestFeed<Row>)).toHaveLength(6);
    await index.deliver([row('other', 2, 'h')]);
    expect(await unread(other)).toEqual([row('other', 2, 'h')]);
    index.closeAll();
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 0, rows: 0 });
  });

  it('ends a feed that has grown beyond what one may watch, however many topics have its rows', async () => {
    const index = indexOf({ feedRowsMax: 3 });
    const [small, large] = [index.open([group('g')]), index.open([group('g'), group('h')])];
    await index.load(small, [row('a', 1)]);
    await index.load(large, [row('a', 1), row('x', 1, 'h')]);
    await index.deliver([row('b', 1), row('y', 1, 'h')]);
    expect([small, large].map((feed) => feed.isClosed)).toEqual([false, false]);
    await index.deliver([row('z', 1, 'h')]);
    await expect(large.next()).rejects.toMatchObject(refused);
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 1, rows: 2 });
    await index.deliver([row('c', 1), row('d', 1)]);
    await expect(small.next()).rejects.toMatchObject(refused);
    expect({ size: index.size, rows: index.rows }).toEqual({ size: 0, rows: 0 });
    expect([...index.topics()]).toEqual([]);
  });

  it('lets others work during a large delivery and a large snapshot', async () => {
    const index = indexOf();
    const rows = Array.from({ length: 5000 }, (_, n) => row(`row-${n}`, 1));
    const feed = index.open([group('g')]);
    for (const work of [() => index.deliver(rows), () => index.load(feed, rows)]) {
      let turns = 0;
      let isDone = false;
      const counting = (async () => {
        for (; !isDone; turns++) await nextTurn();
      })();
      await work();
      isDone = true;
      await counting;
      expect(turns).toBeGreaterThanOrEqual(5);
    }
    expect(feed.size).toBe(5000);
    index.closeAll();
  });
});
