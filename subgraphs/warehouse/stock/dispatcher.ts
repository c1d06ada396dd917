import { isTooSlow } from '../../shared/database-errors.js';
import { OutcomeUnknown, tryAgain } from '../../shared/errors.js';
import { type DispatcherLimits, dispatcherLimits } from './dispatcher-limits.js';
import { inParts } from './in-parts.js';
import type { DispatcherMetrics } from './metrics.js';
import type { StockLock, StockLocks } from './stock-locks.js';

export interface DispatcherOptions<Request, Outcome> {
  /** what a request touches: those that share a key are decided in the order in which they came */
  keysOf(request: Request): readonly string[];
  /** Decides all of them in one transaction: an outcome for each, in their order. Idempotent. */
  work(requests: readonly Request[]): Promise<readonly Outcome[]>;
  /** Those of the requests whose rows other transactions have; asked when they were waited for in vain. */
  heldUp?(requests: readonly Request[]): Promise<readonly Request[]>;
  /** for work that takes a lock over its keys first */
  readonly locks?: StockLocks;
  readonly metrics: DispatcherMetrics;
  readonly limits?: Partial<DispatcherLimits>;
}

interface Waiting<Request, Outcome> {
  readonly request: Request;
  readonly keys: readonly string[];
  readonly enqueuedMs: number;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
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
  #queue: Waiting<Request, Outcome>[] = [];
  readonly #busy = new Set<string>();
  #lanes = 0;
  /** lanes that have their lock */
  #turns = 0;
  #lettingOthers: Promise<void> | undefined;
  #waking = false;
  #clock: NodeJS.Timeout | undefined;

  constructor(options: DispatcherOptions<Request, Outcome>) {
    this.#options = options;
    this.#limits = { ...dispatcherLimits, ...options.limits };
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
      const batch = this.#select();
      const [first] = batch;
      if (!first) break;
      const all = keysOfAll(batch);
      const own = keysOfAll([first]);
      let mine = all;
      for (const key of all) this.#busy.add(key);
      if (this.#select().length > 0) this.#wake();
      try {
        const alone = all.length === own.length;
        if (!(await this.#runTurn(all, alone ? Infinity : this.#limits.shareWaitMaxMs))) {
          // Others have one or the other of many: wait for those of the first, let go of the rest.
          for (const key of all) if (!own.includes(key)) this.#busy.delete(key);
          mine = own;
          this.#wake();
          await this.#runTurn(own, Infinity);
        }
      } catch (error) {
        this.#options.metrics.refused('noLock', this.#queue.length);
        this.#refuse(() => true, error);
      }
      for (const key of mine) this.#busy.delete(key);
    }
    this.#lanes -= 1;
  }

  /**
   * Batch after batch of what touches these keys only, under one lock.
   *
   * @param patienceMs how long to wait for a lock that another process has
   * @returns false when the lock was not had
   */
  async #runTurn(keys: readonly string[], patienceMs: number): Promise<boolean> {
    await this.#lettingOthers;
    const lock = await this.#lockFor(keys, patienceMs);
    if (!lock) return false;
    this.#turns += 1;
    const letGoAtMs = performance.now() + this.#limits.lockHoldMaxMs;
    let wanted = false;
    try {
      do {
        const batch = this.#take(keys);
        if (batch.length > 0) await this.#settle(batch);
        // Let those who were answered, and those who came meanwhile, into the next batch.
        await new Promise((resolve) => setImmediate(resolve));
      } while (
        performance.now() < letGoAtMs &&
        !this.#lettingOthers &&
        this.#select(keys).length > 0
      );
    } finally {
      wanted = await lock.release();
      this.#turns -= 1;
    }
    if (wanted) this.#lettingOthers ??= this.#letOthers();
    await this.#lettingOthers;
    return true;
  }

  /** All lanes let go together: who waits for several keys would else never find all of them free. */
  async #letOthers(): Promise<void> {
    const { lockHoldMaxMs, sharePauseMs } = this.#limits;
    const latestMs = performance.now() + lockHoldMaxMs;
    while (this.#turns > 0 && performance.now() < latestMs) await sleep(1);
    await sleep(sharePauseMs);
    this.#lettingOthers = undefined;
  }

  /** @returns null when nobody waits for the keys any more, or another has them for longer than we wait */
  async #lockFor(keys: readonly string[], patienceMs: number): Promise<StockLock | null> {
    const { locks, metrics } = this.#options;
    if (!locks) return withoutLock;
    const startedMs = performance.now();
    const lock = await locks.lock(keys, () => {
      const isPatient = performance.now() - startedMs < patienceMs;
      return isPatient && this.#select(keys).length > 0;
    });
    if (lock) metrics.lockWaited(performance.now() - startedMs);
    return lock;
  }

  /**
   * The next batch in the order of the queue. A request that has to wait keeps its keys from those
   * behind it.
   *
   * @param within only what touches none but these keys; else only what touches no key that is busy
   */
  #select(within?: readonly string[]): Waiting<Request, Outcome>[] {
    const { batchMax, keysPerBatchMax } = this.#limits;
    const allowed = within && new Set(within);
    const mayTake = (key: string) => (allowed ? allowed.has(key) : !this.#busy.has(key));
    const passedOver = new Set<string>();
    const keys = new Set<string>();
    const batch: Waiting<Request, Outcome>[] = [];
    for (const waiting of this.#queue) {
      if (batch.length === batchMax) break;
      if (waiting.keys.every((key) => mayTake(key) && !passedOver.has(key))) {
        const added = waiting.keys.filter((key) => !keys.has(key));
        if (batch.length > 0 && keys.size + added.length > keysPerBatchMax) break;
        for (const key of added) keys.add(key);
        batch.push(waiting);
      } else {
        for (const key of waiting.keys) passedOver.add(key);
      }
    }
    return batch;
  }

  #take(keys: readonly string[]): Waiting<Request, Outcome>[] {
    const batch = this.#select(keys);
    const taken = new Set(batch);
    this.#queue = this.#queue.filter((waiting) => !taken.has(waiting));
    return batch;
  }

  /** Answers each of a batch. */
  #settle(batch: readonly Waiting<Request, Outcome>[]): Promise<void> {
    const { work, heldUp, metrics } = this.#options;
    type Part = typeof batch;
    return inParts(batch, {
      async work(part) {
        const startedMs = performance.now();
        const outcomes = await work(part.map(({ request }) => request));
        metrics.batchDone(part.length, performance.now() - startedMs);
        for (const [n, { resolve }] of part.entries()) resolve(outcomes[n] as Outcome);
      },
      async heldUp(part): Promise<Part> {
        const held = new Set(await heldUp?.(part.map(({ request }) => request)));
        return heldUp ? part.filter(({ request }) => held.has(request)) : part;
      },
      failed(part, error) {
        // The work is idempotent: what became of it is known when it is asked for again.
        const told = refusalOf(error);
        for (const { reject } of part) reject(told);
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
    const oldestMs = performance.now() - this.#limits.waitMaxMs;
    if ((this.#queue[0]?.enqueuedMs ?? oldestMs) >= oldestMs) return;
    this.#refuse(({ enqueuedMs }) => enqueuedMs < oldestMs, this.#refusal('late'));
  }

  #refuse(isMeant: (waiting: Waiting<Request, Outcome>) => boolean, error: unknown): void {
    const meant = this.#queue.filter(isMeant);
    this.#queue = this.#queue.filter((waiting) => !isMeant(waiting));
    for (const { reject } of meant) reject(error);
  }

  #refusal(reason: 'full' | 'late') {
    this.#options.metrics.refused(reason);
    return tryAgain(busy);
  }
}

// Each for the lock_timeout of the connection; so who is in the way of rows for longer than about a
// second refuses those who need them, and keeps up nobody else.
const rowWaitsMax = 3;
const busy = 'Many are buying this at the same moment; nothing was reserved yet.';

/** What those who asked are told of a failure of their batch. */
function refusalOf(error: unknown): unknown {
  if (error instanceof OutcomeUnknown) {
    return tryAgain('The database went away at the last moment; ask again.');
  }
  return isTooSlow(error) ? tryAgain(busy) : error;
}

const lateLookMs = 100;
const withoutLock: StockLock = { release: async () => false };
const keysOfAll = (batch: readonly { keys: readonly string[] }[]) =>
  [...new Set(batch.flatMap(({ keys }) => keys))].sort();
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
