import type { Redis } from 'ioredis';
import TinyQueue from 'tinyqueue';

export interface ReservationTimer {
  readonly orderId: string;
  readonly expiresAt: Date;
  /**
   * milliseconds left by PostgreSQL’s clock, given when the timer expired too early by that clock
   */
  readonly leftMs?: number;
}

const keyPrefix = 'reservation:';
// The key expires a little after the reservation, so that the event is late by PostgreSQL's clock
// too.
const graceMs = 25;
const watchedMax = 200_000;
const nudgeMax = 2000;
const notYetMs = 50;
/** the answer of PTTL for a key that does not exist */
const gone = -2;
const compactFrom = 10_000;

export const timerKey = (orderId: string) => keyPrefix + orderId;
/** When the key of a reservation is due by the clock of this process, in Unix milliseconds. */
const timerDueMs = ({ expiresAt, leftMs }: ReservationTimer) =>
  graceMs + (leftMs === undefined ? expiresAt.getTime() : Math.ceil(Date.now() + leftMs));
/**
 * When the key of a reservation expires, for Redis: in Unix milliseconds; or, with a `+`, in
 * milliseconds from now, for a timer that expired too early. By absolute time it would expire too
 * early again, as long as Redis's clock is ahead of PostgreSQL's.
 */
export const timerExpiry = ({ expiresAt, leftMs }: ReservationTimer): string =>
  leftMs === undefined ? `${expiresAt.getTime() + graceMs}` : `+${Math.ceil(leftMs) + graceMs}`;

/** @returns the order whose timer this key is; null for any other key */
export function orderOfTimer(key: string): string | null {
  return key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : null;
}

interface Watched {
  readonly orderId: string;
  readonly dueMs: number;
}

/**
 * Redis expires keys lazily: among many others a due key may stay for seconds before its event is
 * sent. Reading it (PTTL) makes Redis expire it. So each process remembers the keys that it set,
 * by due time, `watchedMax` at most. Redis itself or the sweeper finds the others, and those of a
 * process that died.
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

  /**
   * Reads the keys that are due. Those that Redis still has, by its own clock, are read again
   * later.
   */
  async nudge(redis: Redis): Promise<void> {
    if (redis.status !== 'ready') return;
    const nowMs = Date.now();
    const due = this.#takeDue(nowMs);
    if (due.length === 0) return;
    const answers = await redis.pipeline(due.map((id) => ['pttl', timerKey(id)])).exec();
    for (const [n, orderId] of due.entries()) {
      const leftMs = Number(answers?.[n]?.[1] ?? 0);
      // Another process may have set it again, for much later.
      if (leftMs !== gone) this.#watch(orderId, nowMs + Math.max(leftMs, notYetMs));
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
      if (this.#dueMs.get(next.orderId) !== next.dueMs) continue; // forgotten, or set again
      this.#dueMs.delete(next.orderId);
      due.push(next.orderId);
    }
    return due;
  }

  /** Removes forgotten timers from the queue. */
  #compact(): void {
    this.#queue = this.#emptyQueue();
    for (const [orderId, dueMs] of this.#dueMs) this.#queue.push({ orderId, dueMs });
  }

  #emptyQueue() {
    return new TinyQueue<Watched>([], (a, b) => a.dueMs - b.dueMs);
  }
}
