import { setTimeout as sleep } from 'node:timers/promises';
import { assert } from '../../../shared/assert.js';
import { BlockedRequests } from './blocked-requests.js';
import { type DispatcherLimits, dispatcherLimits } from './dispatcher-limits.js';
import type { DispatcherOptions } from './dispatcher-options.js';
import { HeldRows, runBatchIsolating } from './run-batch-isolating.js';
import { type StockLock, withoutLock } from './stock-locks.js';
import { busy, toStockRefusal } from './stock-refusal.js';
import { keysOfAll, rejectAll, type Waiting, WaitingQueue, waitingFor } from './waiting-queue.js';

type LaneState = 'SELECTING' | 'LOCKING' | 'WORKING' | 'YIELDING';

interface Lane {
  state: LaneState;
  /** the keys that it has `TAKEN` */
  keys: readonly string[];
}

/**
 * Group commit: requests that arrive while a batch runs become the next batch, first in, first out.
 * Batches that share no key run side by side, in up to `lanesMax` lanes, so that a key which
 * another process has locked delays no request for other keys. Without lock nodes there is one lane.
 *
 * The dispatcher is always in one of these modes:
 *
 * - RUNNING: lanes take locks as they need them. → YIELDING when a lane that releases its lock
 *   finds that another process waits for it.
 * - YIELDING: no lane takes a lock, and each that has one releases it after the batch it is at. All
 *   yield together, as a process that needs several keys would otherwise never find all of them
 *   free. → RUNNING `yieldPauseMs` after the last release, for which it waits `lockHoldMaxMs` at
 *   most.
 *
 * A lane starts when a request could run for which there is no lane yet. It is always in one of
 * these states:
 *
 * - SELECTING: takes the next batch of requests whose keys are all FREE. → YIELDING. It ends when
 *   there is no such request, or there are too many lanes by now.
 * - YIELDING: waits until the dispatcher is RUNNING, if it is not. → LOCKING; or SELECTING after
 *   WORKING.
 * - LOCKING: waits for the lock over all keys of its batch, for `batchLockWaitMaxMs`; then over the
 *   keys of its first request alone, for `requestLockWaitMaxMs`, or longer while no other request
 *   needs the lane. → WORKING with the lock. → SELECTING without it, its keys DEFERRED.
 * - WORKING: runs batch after batch of requests for its keys only. When none is left,
 *   `lockHoldMaxMs` have passed or the dispatcher is YIELDING, it releases the lock. → YIELDING.
 *
 * A key is FREE until a lane has TAKEN it, and FREE again when the lane leaves it. One whose lock
 * could not be acquired is DEFERRED: no lane waits for it. It is FREE again after `deferMs`; then a
 * lane tries its lock once more, and waits only while no other request needs the lane.
 *
 * A request whose rows in PostgreSQL another transaction has locked is set aside (`BlockedRequests`): it
 * leaves its batch, and comes into the queue again when they are free. It is refused if they are not in time.
 */
export class Dispatcher<Request, Outcome> {
  readonly #options: DispatcherOptions<Request, Outcome>;
  readonly #limits: DispatcherLimits;
  readonly #queue: WaitingQueue<Request, Outcome>;
  /** requests that were taken out of a batch again */
  readonly #blocked: BlockedRequests<Request, Outcome>;
  readonly #held = new HeldRows();
  readonly #lanes = new Set<Lane>();
  /** every other key is FREE */
  readonly #keys = new Map<string, 'TAKEN' | 'DEFERRED'>();
  /** keys that have been DEFERRED and not locked since */
  readonly #contended = new Set<string>();
  #mode: 'RUNNING' | 'YIELDING' = 'RUNNING';
  /** resolves when the mode is RUNNING */
  #yielded: Promise<void> = Promise.resolve();
  #laneStart: NodeJS.Immediate | undefined;
  #lateCheck: NodeJS.Timeout | undefined;

  constructor(options: DispatcherOptions<Request, Outcome>) {
    this.#options = options;
    this.#limits = { ...dispatcherLimits, ...options.limits };
    this.#queue = new WaitingQueue(this.#limits);
    this.#blocked = new BlockedRequests({
      findBlocked: async (requests) => options.findBlocked?.(requests) ?? [],
      isHeld: () => this.#held.areLikely,
      freed: (all) => {
        this.#queue.putBack(all);
        this.#watchForLate();
        this.#startLane();
      },
      refused: (all) => rejectAll(all, this.#refusal('busy', all.length)),
    });
    options.metrics.queueLength(() => this.#queue.length + this.#blocked.length);
  }

  /**
   * @throws `TRY_AGAIN` when too many requests wait, or the batch does not start in time; nothing was
   *   done then. What `work` throws for this request alone.
   */
  submit(request: Request): Promise<Outcome> {
    if (this.#queue.isFull || this.#blocked.length >= this.#limits.queueMax)
      return Promise.reject(this.#refusal('full'));
    const { waiting, promise } = waitingFor<Request, Outcome>(
      request,
      this.#options.keysOf(request),
    );
    this.#queue.push(waiting);
    this.#watchForLate();
    this.#startLane();
    return promise;
  }

  #lanesMax(): number {
    return this.#options.locks?.isAlone() ? 1 : this.#limits.lanesMax;
  }

  #startLane(): void {
    if (this.#laneStart || this.#lanes.size >= this.#lanesMax()) return;
    // Requests of the same turn of the event loop come into the same batch.
    this.#laneStart = setImmediate(() => {
      this.#laneStart = undefined;
      void this.#runLane();
    });
  }

  async #runLane(): Promise<void> {
    const lane: Lane = { state: 'SELECTING', keys: [] };
    this.#lanes.add(lane);
    for (;;) {
      const batch = this.#selectFree();
      const [first] = batch;
      if (!first) break;
      const ofFirst = keysOfAll([first]);
      const isRetry = ofFirst.some((key) => this.#contended.has(key));
      lane.keys = isRetry ? ofFirst : keysOfAll(batch);
      for (const key of lane.keys) this.#keys.set(key, 'TAKEN');
      if (this.#selectFree().length > 0) this.#startLane();
      try {
        await this.#lockAndWork(lane, ofFirst, isRetry);
      } catch (error) {
        rejectAll(this.#queue.removeLate(Infinity), error);
      }
      this.#free(lane.keys);
      lane.state = 'SELECTING';
      // The lanes that are left take its requests, too.
      if (this.#lanes.size > this.#lanesMax()) break;
    }
    this.#lanes.delete(lane);
  }

  async #lockAndWork(lane: Lane, ofFirst: readonly string[], isRetry: boolean): Promise<void> {
    const { batchLockWaitMaxMs, requestLockWaitMaxMs } = this.#limits;
    const hasFurther = lane.keys.length > ofFirst.length;
    if (hasFurther && (await this.#work(lane, (ms) => ms < batchLockWaitMaxMs))) return;
    this.#free(lane.keys.filter((key) => !ofFirst.includes(key)));
    lane.keys = ofFirst;
    if (hasFurther) this.#startLane();
    const maxMs = isRetry ? 0 : requestLockWaitMaxMs;
    if (await this.#work(lane, (ms) => ms < maxMs || !this.#isLaneNeeded())) return;
    this.#defer(lane);
  }

  /** Whether a request waits for nothing but a lane. */
  #isLaneNeeded(): boolean {
    return this.#lanes.size >= this.#lanesMax() && this.#selectFree().length > 0;
  }

  #free(keys: readonly string[]): void {
    for (const key of keys) this.#keys.delete(key);
  }

  #defer(lane: Lane): void {
    const { keys } = lane;
    for (const key of keys) {
      this.#keys.set(key, 'DEFERRED');
      this.#contended.add(key);
    }
    lane.keys = [];
    setTimeout(() => {
      this.#free(keys);
      this.#startLane();
    }, this.#limits.deferMs);
  }

  /**
   * Takes the lock over the keys of a lane, and runs batch after batch under it.
   *
   * @param mayWait whether to wait on for a lock, after so many milliseconds
   * @returns false when the lock was not acquired
   */
  async #work(lane: Lane, mayWait: (waitedMs: number) => boolean): Promise<boolean> {
    const { keys } = lane;
    lane.state = 'YIELDING';
    await this.#yielded;
    lane.state = 'LOCKING';
    const lock = await this.#lock(keys, mayWait);
    if (!lock) return false;
    for (const key of keys) this.#contended.delete(key);
    lane.state = 'WORKING';
    const releaseAtMs = performance.now() + this.#limits.lockHoldMaxMs;
    let isWanted = false;
    try {
      do {
        const batch = this.#queue.take(keys);
        if (batch.length > 0) await this.#runBatch(batch);
        // Clients that were answered, and requests that arrived meanwhile, come into the next
        // batch.
        await new Promise((resolve) => setImmediate(resolve));
      } while (
        performance.now() < releaseAtMs &&
        this.#mode === 'RUNNING' &&
        this.#queue.selectFrom(keys).length > 0
      );
    } finally {
      isWanted = await lock.release();
      lane.state = 'YIELDING';
    }
    if (isWanted && this.#mode === 'RUNNING') this.#yielded = this.#yield();
    await this.#yielded;
    return true;
  }

  async #yield(): Promise<void> {
    this.#mode = 'YIELDING';
    const { lockHoldMaxMs, yieldPauseMs } = this.#limits;
    const latestMs = performance.now() + lockHoldMaxMs;
    const isAnyWorking = () => [...this.#lanes].some(({ state }) => state === 'WORKING');
    while (isAnyWorking() && performance.now() < latestMs) await sleep(1);
    await sleep(yieldPauseMs);
    this.#mode = 'RUNNING';
  }

  /**
   * @returns null when no request needs the keys any more, or another process has them for too long
   */
  async #lock(
    keys: readonly string[],
    mayWait: (waitedMs: number) => boolean,
  ): Promise<StockLock | null> {
    const { locks, metrics } = this.#options;
    if (!locks) return withoutLock;
    const startedMs = performance.now();
    const areWaiting = () => this.#queue.selectFrom(keys).length > 0;
    const isNeeded = () => mayWait(performance.now() - startedMs) && areWaiting();
    const lock = await locks.lock(keys, isNeeded, areWaiting);
    if (lock) metrics.lockWaited(performance.now() - startedMs);
    return lock;
  }

  /** The next batch of requests whose keys are all FREE. */
  #selectFree(): Waiting<Request, Outcome>[] {
    return this.#queue.select((key) => !this.#keys.has(key));
  }

  /** Resolves or rejects each request of a batch, except those whose rows are locked. */
  async #runBatch(batch: readonly Waiting<Request, Outcome>[]): Promise<void> {
    const { work, findBlocked, metrics } = this.#options;
    // Their rows may be free again, and they in the queue, before the rest of the batch is done.
    const setAside = new Set<Waiting<Request, Outcome>>();
    await runBatchIsolating(batch, {
      async work(members) {
        const startedMs = performance.now();
        const outcomes = await work(members.map(({ request }) => request));
        assert(outcomes.length === members.length, 'a batch has as many outcomes as requests');
        metrics.batchDone(members.length, performance.now() - startedMs);
        for (const [n, { resolve }] of members.entries()) resolve(outcomes[n] as Outcome);
      },
      findBlocked: async (members) => {
        if (!findBlocked) return [];
        const blocked = new Set(await findBlocked(members.map(({ request }) => request)));
        return members.filter(({ request }) => blocked.has(request));
      },
      blocked: (members, waited) => {
        for (const each of members) setAside.add(each);
        this.#blocked.add(members, waited);
      },
      failed(members, error) {
        const { mappedError, reason } = toStockRefusal(error);
        if (reason) metrics.refused(reason, members.length);
        rejectAll(members, mappedError);
      },
      held: this.#held,
    });
    const isDone = batch.every((each) => each.isAnswered() || setAside.has(each));
    assert(isDone, 'each request of a batch is answered or set aside');
  }

  #watchForLate(): void {
    this.#lateCheck ??= setInterval(() => this.#refuseLate(), lateCheckMs).unref();
  }

  #refuseLate(): void {
    if (this.#queue.length === 0) {
      clearInterval(this.#lateCheck);
      this.#lateCheck = undefined;
      return;
    }
    const late = this.#queue.removeLate(performance.now());
    if (late.length > 0) rejectAll(late, this.#refusal('late', late.length));
  }

  #refusal(reason: 'full' | 'late' | 'busy', count = 1) {
    this.#options.metrics.refused(reason, count);
    return busy();
  }
}

const lateCheckMs = 100;
