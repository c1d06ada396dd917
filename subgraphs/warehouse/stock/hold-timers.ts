import type { Redis } from 'ioredis';
import TinyQueue from 'tinyqueue';

export interface Hold {
  readonly orderId: string;
  readonly expiresAt: Date;
}

const keyPrefix = 'hold:';
// The key outlives the hold a little, so that PostgreSQL's clock has passed when its event comes.
const graceMs = 25;
const watchedMax = 200_000;
const nudgeMax = 2000;
const notYetMs = 50;

export const timerKey = (orderId: string) => keyPrefix + orderId;
/** When the key of a hold expires, in Unix milliseconds (`PXAT`). */
export const timerDueMs = ({ expiresAt }: Hold) => expiresAt.getTime() + graceMs;

/** @returns the order whose timer this key is, or null for any other key */
export function orderOfTimer(key: string): string | null {
  return key.startsWith(keyPrefix) ? key.slice(keyPrefix.length) : null;
}

interface Watched {
  readonly key: string;
  readonly dueMs: number;
}

/**
 * Redis expires keys lazily: among many others a due key may stay for seconds before its event
 * comes. Looking at it (EXISTS) makes Redis notice. So each process remembers the keys it set, the
 * next one first, at most `watchedMax`; what is beyond that, or was set by a process that died, is
 * found by Redis itself or by the sweeper.
 */
export class TimerWatch {
  readonly #queue = new TinyQueue<Watched>([], (a, b) => a.dueMs - b.dueMs);

  add(holds: readonly Hold[]): void {
    for (const hold of holds) {
      if (this.#queue.length >= watchedMax) return;
      this.#queue.push({ key: timerKey(hold.orderId), dueMs: timerDueMs(hold) });
    }
  }

  /** Looks at the keys that are due. What Redis has still, by its own clock, is looked at again. */
  async nudge(redis: Redis): Promise<void> {
    const nowMs = Date.now();
    const due: Watched[] = [];
    while (due.length < nudgeMax && (this.#queue.peek()?.dueMs ?? Number.POSITIVE_INFINITY) < nowMs)
      due.push(this.#queue.pop() as Watched);
    if (due.length === 0 || redis.status !== 'ready') return;
    const answers = await redis.pipeline(due.map(({ key }) => ['exists', key])).exec();
    for (const [n, { key }] of due.entries()) {
      if (answers?.[n]?.[1] === 1) this.#queue.push({ key, dueMs: nowMs + notYetMs });
    }
  }
}
