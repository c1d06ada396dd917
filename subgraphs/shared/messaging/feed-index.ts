import { setImmediate as nextTurn } from 'node:timers/promises';
import { assert } from '../assert.js';
import { tryAgain } from '../errors.js';
import { LatestFeed } from './latest-feed.js';

/** A version of a row; versions of a row only rise. */
export interface Versioned {
  readonly version: number;
}

/** What feeds watch, such as a SKU or a shop: rows that they watch together. */
export interface Topic<T extends Versioned, W> {
  readonly watch: W;
  readonly feeds: ReadonlySet<LatestFeed<T>>;
  /** key of a row → its latest version that the feeds have */
  readonly known: ReadonlyMap<string, number>;
  /** whether `known` has the rows that existed when the first feed was opened */
  readonly isLoaded: boolean;
}

interface OpenTopic<T extends Versioned, W> extends Topic<T, W> {
  readonly feeds: Set<LatestFeed<T>>;
  readonly known: Map<string, number>;
  isLoaded: boolean;
}

export interface FeedIndexOptions<T extends Versioned, W> {
  /** kinds of topics, numbered from 0; a row belongs to one topic of each kind */
  readonly kinds: number;
  /** the topics of one feed have no row in common */
  kindOf(watch: W): number;
  /** the name of a topic among those of its kind */
  nameOf(watch: W): string;
  /** the name of the topic of a kind that a row belongs to */
  topicOf(row: T, kind: number): string;
  keyOf(row: T): string;
  /** open feeds of this process */
  readonly feedsMax: number;
  /** rows watched by this process, each counted once for each feed that watches it */
  readonly rowsMax: number;
  /** rows that one feed may watch, and one for each further topic, which may have none */
  readonly feedRowsMax: number;
}

interface OpenFeed<T extends Versioned, W> {
  readonly topics: readonly OpenTopic<T, W>[];
  /** watched rows; a topic counts as one at least */
  rows: number;
}

// Rows and pushes between two turns of the event loop: some 2 ms.
const workPerTurn = 1000;

/**
 * The open feeds of a process, by what they watch: a change costs only the feeds that watch its row. Each
 * topic keeps one version of each row for all of its feeds, and is freed with the last of them.
 *
 * A row is delivered to all feeds of its topics in one turn of the event loop. So a feed never receives
 * an older version after a newer one, whatever the order in which messages, snapshots and catch-ups come.
 *
 * Topics get further rows while they are watched. A feed that would watch too many of them, or the process
 * with it, ends with `TRY_AGAIN`; when it is opened again, it is refused if that is still so.
 */
export class FeedIndex<T extends Versioned, W> {
  /** by kind, then by name */
  readonly #topics: ReadonlyArray<Map<string, OpenTopic<T, W>>>;
  readonly #open = new Map<LatestFeed<T>, OpenFeed<T, W>>();
  #rows = 0;

  constructor(private readonly options: FeedIndexOptions<T, W>) {
    this.#topics = Array.from({ length: options.kinds }, () => new Map());
  }

  /** number of open feeds */
  get size(): number {
    return this.#open.size;
  }

  /** watched rows, each counted for each feed that watches it; a topic counts as one row at least */
  get rows(): number {
    return this.#rows;
  }

  /** The watched topics. The iterator may be kept while topics are opened and closed. */
  *topics(): Generator<Topic<T, W>> {
    for (const topics of this.#topics) yield* topics.values();
  }

  topic(watch: W): Topic<T, W> | undefined {
    return this.#ofKind(watch).get(this.options.nameOf(watch));
  }

  /** Opens a feed that receives changes from now on; `load` then gives it its snapshot. @throws `TRY_AGAIN` */
  open(watches: readonly W[]): LatestFeed<T> {
    const distinct = new Map(watches.map((watch) => [this.options.nameOf(watch), watch]));
    let rows = 0;
    for (const watch of distinct.values()) rows += rowsOf(this.topic(watch));
    if (this.size >= this.options.feedsMax || this.#rows + rows > this.options.rowsMax)
      throw full();
    const feed = new LatestFeed<T>(() => this.#close(feed));
    const topics = [...distinct.values()].map((watch) => this.#watch(watch, feed));
    this.#open.set(feed, { topics, rows });
    this.#rows += rows;
    return feed;
  }

  /**
   * Gives a feed its snapshot, which was read after the feed was opened and before anybody reads from it.
   * Other feeds receive only rows that changed since.
   *
   * @throws `TRY_AGAIN` when the process watches too many rows; the feed is closed then
   */
  async load(feed: LatestFeed<T>, rows: readonly T[]): Promise<void> {
    let work = 0;
    for (const row of rows) {
      work += 1 + this.#deliver(row);
      if (feed.isClosed) throw full();
      feed.push(this.options.keyOf(row), row);
      if (work < workPerTurn) continue;
      work = 0;
      await nextTurn();
    }
    for (const topic of this.#open.get(feed)?.topics ?? []) topic.isLoaded = true;
  }

  /** Delivers changed rows to the feeds that watch them and do not have these versions yet. */
  async deliver(rows: readonly T[]): Promise<void> {
    let work = 0;
    for (const row of rows) {
      if (this.size === 0) return;
      work += 1 + this.#deliver(row);
      if (work < workPerTurn) continue;
      work = 0;
      await nextTurn();
    }
  }

  closeAll(): void {
    for (const feed of [...this.#open.keys()]) void feed.return();
  }

  /** @returns the number of pushes */
  #deliver(row: T): number {
    let pushes = 0;
    for (const [kind, topics] of this.#topics.entries()) {
      if (topics.size === 0) continue;
      const topic = topics.get(this.options.topicOf(row, kind));
      if (!topic) continue;
      const key = this.options.keyOf(row);
      const known = topic.known.get(key);
      if (known !== undefined && row.version <= known) continue;
      if (known === undefined && topic.known.size > 0) this.#grow(topic);
      topic.known.set(key, row.version);
      for (const feed of topic.feeds) feed.push(key, row);
      pushes += topic.feeds.size;
    }
    return pushes;
  }

  /** Counts a further row for each feed of a topic. Feeds that would watch too many rows end. */
  #grow({ feeds }: OpenTopic<T, W>): void {
    const { rowsMax, feedRowsMax } = this.options;
    for (const feed of feeds) {
      const open = this.#open.get(feed);
      assert(open !== undefined, 'a feed of a topic is open');
      open.rows += 1;
      this.#rows += 1;
      const feedMax = feedRowsMax + open.topics.length - 1;
      if (open.rows > feedMax || this.#rows > rowsMax) feed.end(grown());
    }
  }

  #ofKind(watch: W): Map<string, OpenTopic<T, W>> {
    const topics = this.#topics[this.options.kindOf(watch)];
    assert(topics !== undefined, 'a topic is of a kind that the index has');
    return topics;
  }

  #watch(watch: W, feed: LatestFeed<T>): OpenTopic<T, W> {
    const topics = this.#ofKind(watch);
    const name = this.options.nameOf(watch);
    let topic = topics.get(name);
    if (!topic) {
      topic = { watch, feeds: new Set(), known: new Map(), isLoaded: false };
      topics.set(name, topic);
    }
    topic.feeds.add(feed);
    return topic;
  }

  #close(feed: LatestFeed<T>): void {
    const { topics = [], rows = 0 } = this.#open.get(feed) ?? {};
    this.#rows -= rows;
    for (const topic of topics) {
      topic.feeds.delete(feed);
      if (topic.feeds.size > 0) continue;
      this.#ofKind(topic.watch).delete(this.options.nameOf(topic.watch));
      topic.known.clear();
    }
    this.#open.delete(feed);
  }
}

/** What a feed of the topic counts for. */
const rowsOf = (topic: { readonly known: ReadonlyMap<string, number> } | undefined) =>
  Math.max(1, topic?.known.size ?? 0);

const full = () => tryAgain('Too many open subscriptions. Try again later.');
const grown = () => tryAgain('The subscription has grown too large. Please subscribe again.');
