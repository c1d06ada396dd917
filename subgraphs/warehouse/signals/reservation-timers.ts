import type { Redis } from 'ioredis';
import TinyQueue from 'tinyqueue';

export interface ReservationTimer {
  readonly orderId: string;
  readonly expiresAt: Date;
  /** where its timer came early: milliseconds that are left by PostgreSQL's clock, which is what counts */
  readonly leftMs?: number;
}

const keyPrefix = 'reservation:';
// The key outlives the hold a little, so that PostgreSQL's clock has passed when its event comes.
const graceMs = 25;
const watchedMax = 200_000;
const nudgeMax = 2000;
const notYetMs = 50;
const compactFrom = 10_000;

export const timerKey = (orderId: string) => keyPrefix + orderId;
/** When the key of a hold is due by our clock, in Unix milliseconds. */
const timerDueMs = ({ expiresAt, leftMs }: ReservationTimer) =>
  graceMs + (leftMs === undefined ? expiresAt.getTime() : Math.ceil(Date.now() + leftMs));
/**
 * When the key of a hold expires, for Redis: in Unix milliseconds; or, with a `+`, from now on. One that
 * came early by PostgreSQL's clock would do so again and again, as long as Redis's clock is ahead.
 */
export const timerExpiry = ({ expiresAt, leftMs }: ReservationTimer): string =>
  leftMs === undefined ? `${expiresAt.getTime() + graceMs}` : `+${Math.ceil(leftMs) + graceMs}`;

/** @returns the order whose timer this key is, or null for any other key */
export function orderOfTimer(key: string): string | null {
  return key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : null;
}

interface Watched {
  readonly orderId: string;
  readonly dueMs: number;
}

/**
 * Redis expires keys lazily: among many others a due key may stay for seconds before its event
 * comes. Looking at it (EXISTS) makes Redis notice. So each process remembers the keys it set, the
 * next one first, at most `watchedMax`; what is beyond that, or was set by a process that died, is
 * found by Redis itself or by the sweeper.
 */
export class TimerWatch {
  readonly #dueMs = new Map<string, number>();
  #queue = this.#emptyQueue();

  add(timers: readonly ReservationTimer[]): void {
    for (const timer of timers) this.#watch(timer.orderId, timerDueMs(timer));
  }

  forget(orderIds: readonly string[]): void {
    for (const orderId of orderIds) this.#dueMs.delete(orderId);
    if (this.#queue.length > 2 * this.#dueMs.size + compactFrom) this.#compact();
  }

  /** Looks at the keys that are due. What Redis has still, by its own clock, is looked at again. */
  async nudge(redis: Redis): Promise<void> {
    if (redis.status !== 'ready') return;
    const nowMs = Date.now();
    const due = this.#takeDue(nowMs);
    if (due.length === 0) return;
    const answers = await redis.pipeline(due.map((id) => ['exists', timerKey(id)])).exec();
    for (const [n, orderId] of due.entries()) {
      const gone = answers?.[n]?.[1] === 0;
      if (!gone) this.#watch(orderId, nowMs + notYetMs);
    }
  }

  #watch(orderId: string, dueMs: number): void {
    if (this.#dueMs.get(orderId) === dueMs || this.#dueMs.size >= watchedMax) return;
    this.#dueMs.set(orderId, dueMs);
    this.#queue.push({ orderId, dueMs });
  }

  #takeDue(nowMs: number): string[] {
    const due: string[] = [];
    while (due.length < nudgeMax) {
      const next = this.#queue.peek();
      if (!next || next.dueMs > nowMs) break;
      this.#queue.pop();
      if (this.#dueMs.get(next.orderId) !== next.dueMs) continue; // forgotten, or set anew
      this.#dueMs.delete(next.orderId);
      due.push(next.orderId);
    }
    return due;
  }

  /** Drops what was forgotten from the queue too. */
  #compact(): void {
    this.#queue = this.#emptyQueue();
    for (const [orderId, dueMs] of this.#dueMs) this.#queue.push({ orderId, dueMs });
  }

  #emptyQueue() {
    return new TinyQueue<Watched>([], (a, b) => a.dueMs - b.dueMs);
  }
}
