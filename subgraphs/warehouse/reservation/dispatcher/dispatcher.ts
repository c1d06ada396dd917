import { assert } from '../../../shared/assert.js';
import type { DispatcherMetrics } from '../../stock/metrics.js';
import { type DispatcherLimits, dispatcherLimits } from './dispatcher-limits.js';
import { runBatchIsolating } from './run-batch-isolating.js';
import type { StockLock, StockLocks } from './stock-locks.js';
import { busy, toStockRefusal } from './stock-refusal.js';
import { type Waiting, WaitingQueue } from './waiting-queue.js';

export interface DispatcherOptions<Request, Outcome> {
  /** what a request touches: those that share a key are decided in the order in which they came */
  keysOf(request: Request): readonly string[];
  /** Decides all of them in one transaction: an outcome for each, in their order. Idempotent. */
  work(requests: readonly Request[]): Promise<readonly Outcome[]>;
  /** Those of the requests whose rows other transactions have; asked when they were waited for in vain. */
  findBlocked?(requests: readonly Request[]): Promise<readonly Request[]>;
  /** for work that takes a lock over its keys first */
  readonly locks?: StockLocks;
  readonly metrics: DispatcherMetrics;
  readonly limits?: Partial<DispatcherLimits>;
}

/**
 * Group commit: what is asked while a batch is at work becomes the next batch, first in first out.
 * A batch runs under one lock over its keys, which is kept for the batches that follow as long as
 * `lockHoldMaxMs`; then other processes have their turn. Batches that share no key run side by side,
 * so that a key that another process holds keeps up nobody else.
 */
export class Dispatcher<Request, Outcome> {
  readonly #options: DispatcherOptions<Request, Outcome>;
  readonly #limits: DispatcherLimits;
  readonly #queue: WaitingQueue<Request, Outcome>;
  readonly #busy = new Set<string>();
  /** keys that were waited for in vain: tried again from time to time, with no lane to wait in */
  readonly #lockedElsewhere = new Set<string>();
  #lanes = 0;
  /** lanes that have their lock */
  #turns = 0;
  #yielding: Promise<void> | undefined;
  #waking = false;
  #clock: NodeJS.Timeout | undefined;

  constructor(options: DispatcherOptions<Request, Outcome>) {
    this.#options = options;
    this.#limits = { ...dispatcherLimits, ...options.limits };
    this.#queue = new WaitingQueue(this.#limits);
    options.metrics.queueLength(() => this.#queue.length);
  }

  /**
   * @throws `TRY_AGAIN` when too many wait, the turn does not come in time, or the lock cannot be had;
   *   nothing was done then. What `work` throws for this request alone.
   */
  submit(request: Request): Promise<Outcome> {
    if (this.#queue.length >= this.#limits.queueMax) return Promise.reject(this.#refusal('full'));
    return new Promise((resolve, reject) => {
      const keys = this.#options.keysOf(request);
      this.#queue.push({ request, keys, enqueuedMs: performance.now(), resolve, reject });
      this.#clock ??= setInterval(() => this.#refuseLate(), lateLookMs).unref();
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waking || this.#lanes >= this.#limits.lanesMax) return;
    this.#waking = true;
    // What is asked in the same turn of the event loop comes into the same batch.
    setImmediate(() => {
      this.#waking = false;
      void this.#runLane();
    });
  }

  async #runLane(): Promise<void> {
    this.#lanes += 1;
    for (;;) {
      const batch = this.#next();
      const [first] = batch;
      if (!first) break;
      const own = keysOfAll([first]);
      const wasDeferred = own.some((key) => this.#lockedElsewhere.has(key));
      const all = wasDeferred ? own : keysOfAll(batch);
      let mine = all;
      for (const key of all) this.#busy.add(key);
      if (this.#next().length > 0) this.#wake();
      try {
        const { shareWaitMaxMs, ownWaitMaxMs } = this.#limits;
        const isMany = all.length > own.length;
        if (!(isMany && (await this.#runTurn(all, shareWaitMaxMs)))) {
          // Others have one or the other of many: wait for those of the first, let go of the rest.
          for (const key of all) if (!own.includes(key)) this.#busy.delete(key);
          mine = own;
          if (isMany) this.#wake();
          const waitMaxMs = wasDeferred ? 0 : ownWaitMaxMs;
          if (!(await this.#runTurn(own, waitMaxMs, () => this.#isLaneNeeded()))) {
            this.#deferKeys(own);
            mine = [];
          }
        }
      } catch (error) {
        this.#options.metrics.refused('noLock', this.#queue.length);
        reject(this.#queue.removeBefore(Infinity), error);
      }
      for (const key of mine) this.#busy.delete(key);
    }
    this.#lanes -= 1;
  }

  /** Whether there is work that waits for nothing but a lane. */
  #isLaneNeeded(): boolean {
    return this.#lanes >= this.#limits.lanesMax && this.#next().length > 0;
  }

  /** Leaves keys that another process has for a while, and gives their lane to others. */
  #deferKeys(keys: readonly string[]): void {
    for (const key of keys) this.#lockedElsewhere.add(key);
    setTimeout(() => {
      for (const key of keys) this.#busy.delete(key);
      this.#wake();
    }, this.#limits.deferMs);
  }

  /**
   * Batch after batch of what touches these keys only, under one lock.
   *
   * @param lockWaitMs how long to wait for a lock that another process has
   * @param isLaneNeeded whether it matters that it waits longer than that
   * @returns false when the lock was not had
   */
  async #runTurn(
    keys: readonly string[],
    lockWaitMs: number,
    isLaneNeeded = () => true,
  ): Promise<boolean> {
    await this.#yielding;
    const lock = await this.#lockFor(keys, lockWaitMs, isLaneNeeded);
    if (!lock) return false;
    for (const key of keys) this.#lockedElsewhere.delete(key);
    this.#turns += 1;
    const yieldAtMs = performance.now() + this.#limits.lockHoldMaxMs;
    let isContended = false;
    try {
      do {
        const batch = this.#queue.take(keys);
        if (batch.length > 0) await this.#runBatch(batch);
        // Let those who were answered, and those who came meanwhile, into the next batch.
        await new Promise((resolve) => setImmediate(resolve));
      } while (
        performance.now() < yieldAtMs &&
        !this.#yielding &&
        this.#queue.selectFrom(keys).length > 0
      );
    } finally {
      isContended = await lock.release();
      this.#turns -= 1;
    }
    if (isContended) this.#yielding ??= this.#yieldLock();
    await this.#yielding;
    return true;
  }

  /** All lanes let go together: who waits for several keys would else never find all of them free. */
  async #yieldLock(): Promise<void> {
    const { lockHoldMaxMs, sharePauseMs } = this.#limits;
    const latestMs = performance.now() + lockHoldMaxMs;
    while (this.#turns > 0 && performance.now() < latestMs) await sleep(1);
    await sleep(sharePauseMs);
    this.#yielding = undefined;
  }

  /** @returns null when nobody waits for the keys any more, or another has them for longer than we wait */
  async #lockFor(
    keys: readonly string[],
    lockWaitMs: number,
    isLaneNeeded: () => boolean,
  ): Promise<StockLock | null> {
    const { locks, metrics } = this.#options;
    if (!locks) return withoutLock;
    const startedMs = performance.now();
    const lock = await locks.lock(keys, () => {
      const mayWait = performance.now() - startedMs < lockWaitMs || !isLaneNeeded();
      return mayWait && this.#queue.selectFrom(keys).length > 0;
    });
    if (lock) metrics.lockWaited(performance.now() - startedMs);
    return lock;
  }

  /** The next batch of what touches no key that is busy. */
  #next(): Waiting<Request, Outcome>[] {
    return this.#queue.select((key) => !this.#busy.has(key));
  }

  /** Answers each of a batch. */
  #runBatch(batch: readonly Waiting<Request, Outcome>[]): Promise<void> {
    const { work, findBlocked, metrics } = this.#options;
    return runBatchIsolating(batch, {
      async work(part) {
        const startedMs = performance.now();
        const outcomes = await work(part.map(({ request }) => request));
        assert(outcomes.length === part.length, 'a batch has as many outcomes as requests');
        metrics.batchDone(part.length, performance.now() - startedMs);
        for (const [n, { resolve }] of part.entries()) resolve(outcomes[n] as Outcome);
      },
      async findBlocked(part) {
        const blocked = new Set(await findBlocked?.(part.map(({ request }) => request)));
        return findBlocked ? part.filter(({ request }) => blocked.has(request)) : part;
      },
      failed(part, error) {
        const { mappedError, reason } = toStockRefusal(error);
        if (reason) metrics.refused(reason, part.length);
        reject(part, mappedError);
      },
      waitsMax: rowWaitsMax,
    });
  }

  #refuseLate(): void {
    if (this.#queue.length === 0) {
      clearInterval(this.#clock);
      this.#clock = undefined;
      return;
    }
    const latestMs = performance.now() - this.#limits.waitMaxMs;
    const late = this.#queue.removeBefore(latestMs);
    if (late.length > 0) reject(late, this.#refusal('late', late.length));
  }

  #refusal(reason: 'full' | 'late', count = 1) {
    this.#options.metrics.refused(reason, count);
    return busy();
  }
}

// Each for the lock_timeout of the connection; so who is in the way of rows for longer than about a
// second refuses those who need them, and keeps up nobody else.
const rowWaitsMax = 3;
const lateLookMs = 100;
const withoutLock: StockLock = { release: async () => false };
function reject(all: readonly { reject(error: unknown): void }[], error: unknown): void {
  for (const each of all) each.reject(error);
}

const keysOfAll = (batch: readonly { keys: readonly string[] }[]) =>
  [...new Set(batch.flatMap(({ keys }) => keys))].sort();
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
