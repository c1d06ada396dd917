import { setImmediate as nextTurn } from 'node:timers/promises';
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
  /** the name of a topic; the topics of one feed have no row in common */
  nameOf(watch: W): string;
  /** the names of the topics that a row belongs to */
  topicsOf(row: T): readonly string[];
  keyOf(row: T): string;
  /** open feeds of this process */
  readonly feedsMax: number;
  /** rows watched by this process, each counted once for each feed that watches it */
  readonly rowsMax: number;
}

// Rows and pushes between two turns of the event loop: some 2 ms.
const workPerTurn = 1000;

/**
 * The open feeds of a process, by what they watch: a change costs only the feeds that watch its row. Each
 * topic keeps one version of each row for all of its feeds, and is freed with the last of them.
 *
 * A row is delivered to all feeds of its topics in one turn of the event loop. So a feed never receives
 * an older version after a newer one, whatever the order in which messages, snapshots and catch-ups come.
 */
export class FeedIndex<T extends Versioned, W> {
  readonly #topics = new Map<string, OpenTopic<T, W>>();
  readonly #topicsByFeed = new Map<LatestFeed<T>, OpenTopic<T, W>[]>();
  #rows = 0;

  constructor(private readonly options: FeedIndexOptions<T, W>) {}

  /** number of open feeds */
  get size(): number {
    return this.#topicsByFeed.size;
  }

  /** watched rows, each counted for each feed that watches it; a topic counts as one row at least */
  get rows(): number {
    return this.#rows;
  }

  /** The watched topics. The iterator may be kept while topics are opened and closed. */
  topics(): IterableIterator<Topic<T, W>> {
    return this.#topics.values();
  }

  topic(watch: W): Topic<T, W> | undefined {
    return this.#topics.get(this.options.nameOf(watch));
  }

  /** Opens a feed that receives changes from now on; `load` then gives it its snapshot. @throws `TRY_AGAIN` */
  open(watches: readonly W[]): LatestFeed<T> {
    const named = new Map(watches.map((watch) => [this.options.nameOf(watch), watch]));
    const rows = [...named.keys()].reduce((sum, name) => sum + this.#rowsOf(name), 0);
    if (this.size >= this.options.feedsMax || this.#rows + rows > this.options.rowsMax)
      throw full();
    const feed = new LatestFeed<T>(() => this.#close(feed));
    this.#topicsByFeed.set(
      feed,
      [...named].map(([name, watch]) => this.#watch(name, watch, feed)),
    );
    this.#rows += rows;
    return feed;
  }

  /**
   * Gives a feed its snapshot, which was read after the feed was opened and before anybody reads from it.
   * Other feeds receive only rows that changed since.
   *
   * @throws `TRY_AGAIN` when the process watches too many rows; the feed must be closed then
   */
  async load(feed: LatestFeed<T>, rows: readonly T[]): Promise<void> {
    let work = 0;
    for (const row of rows) {
      const key = this.options.keyOf(row);
      work += 1 + this.#deliver(key, row);
      feed.push(key, row);
      if (this.#rows > this.options.rowsMax) throw full();
      if (work < workPerTurn) continue;
      work = 0;
      await nextTurn();
    }
    for (const topic of this.#topicsByFeed.get(feed) ?? []) topic.isLoaded = true;
  }

  /** Delivers changed rows to the feeds that watch them and do not have these versions yet. */
  async deliver(rows: readonly T[]): Promise<void> {
    let work = 0;
    for (const row of rows) {
      if (this.size === 0) return;
      work += 1 + this.#deliver(this.options.keyOf(row), row);
      if (work < workPerTurn) continue;
      work = 0;
      await nextTurn();
    }
  }

  closeAll(): void {
    for (const feed of [...this.#topicsByFeed.keys()]) void feed.return();
  }

  /** @returns the number of pushes */
  #deliver(key: string, row: T): number {
    let pushes = 0;
    for (const name of this.options.topicsOf(row)) {
      const topic = this.#topics.get(name);
      if (!topic) continue;
      const known = topic.known.get(key);
      if (known !== undefined && row.version <= known) continue;
      if (known === undefined && topic.known.size > 0) this.#rows += topic.feeds.size;
      topic.known.set(key, row.version);
      for (const feed of topic.feeds) feed.push(key, row);
      pushes += topic.feeds.size;
    }
    return pushes;
  }

  #rowsOf(name: string): number {
    return Math.max(1, this.#topics.get(name)?.known.size ?? 0);
  }

  #watch(name: string, watch: W, feed: LatestFeed<T>): OpenTopic<T, W> {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = { watch, feeds: new Set(), known: new Map(), isLoaded: false };
      this.#topics.set(name, topic);
    }
    topic.feeds.add(feed);
    return topic;
  }

  #close(feed: LatestFeed<T>): void {
    for (const topic of this.#topicsByFeed.get(feed) ?? []) {
      const name = this.options.nameOf(topic.watch);
      this.#rows -= this.#rowsOf(name);
      topic.feeds.delete(feed);
      if (topic.feeds.size > 0) continue;
      this.#topics.delete(name);
      topic.known.clear();
    }
    this.#topicsByFeed.delete(feed);
  }
}

const full = () => tryAgain('Too many open subscriptions. Try again later.');
