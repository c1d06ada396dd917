import type { Redis } from 'ioredis';
import { withTimeout } from '../resilience/with-timeout.js';

const probeEveryMs = 1000;
const keyTtlMs = 10_000;
/** the commands of probes */
export const probeCommands = ['set', 'ping'];

/** What a server answers that cannot serve; at the same address there may be another one by now. */
const cannotServe = /^(?:READONLY|LOADING|MASTERDOWN)\b|-READONLY\b/;

/** Whether a connection has to be made again, by the answer to a command. */
export const isOfDemotedServer = ({ message }: Error) => cannotServe.test(message);
/** What to grant to a user that may not write the key of the probe; null if an error has another reason. */
export const missingRight = (error: Error): string | null =>
  isNoRight(error)
    ? 'the user of Redis may not write the keys probe:*; grant it +set and ~probe:*'
    : null;
export const isNoRight = (error: unknown) => (error as Error).message.startsWith('NOPERM');
/** Whether an error is the answer of a server, and not a failure of the connection. */
export const isReply = (error: unknown) => (error as Error).name === 'ReplyError';

export interface ProbeListener {
  works(): void;
  failed(error: Error): void;
}

/**
 * Writes a key once a second, over a connection that must take writes; subscribers have one, too. A connection
 * is always in one of these states:
 *
 * - WORKING: at first, and after a probe was written. → FAILED by a probe that was refused or twice not answered
 *   in time, by `doubtWrites` and `proveWrites`, and when the connection is closed.
 * - FAILED: what needs writes leaves it out. → WORKING by the next probe that was written.
 *
 * The answer of a server that cannot serve closes the connection (`reconnectOnError`), and so does silence
 * (`socketTimeout`), which without the probe a subscriber would not notice. It is then made again, and its
 * address resolved again. Other refusals (no memory, no right) leave it open, as a new connection would not
 * change them: it stays FAILED until a probe is written.
 */
class WriteProbe {
  #hasFailed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly listener: ProbeListener,
  ) {
    redis.on('ready', () => void this.#probe());
    redis.on('close', () => {
      clearTimeout(this.#timer);
      this.#hasFailed = true;
    });
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  doubt(): void {
    this.#hasFailed = true;
  }

  async prove(maxMs: number): Promise<boolean> {
    const written = this.#write().then(() => true);
    const isWritten = await withTimeout(maxMs, written, false);
    if (!isWritten) this.#hasFailed = true;
    return isWritten;
  }

  async #probe(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await this.#writeOrRepeat();
      this.#hasFailed = false;
      this.listener.works();
    } catch (error) {
      this.#hasFailed = true;
      if (this.redis.status === 'ready') this.listener.failed(error as Error);
    }
    if (this.redis.status !== 'ready') return;
    const delayMs = probeEveryMs * (0.75 + Math.random() / 2);
    this.#timer = setTimeout(() => void this.#probe(), delayMs).unref();
  }

  /** One late answer is no failure: to a process that was busy for so long, each answer is late. */
  async #writeOrRepeat(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      if (isReply(error) || this.redis.status !== 'ready') throw error;
      await this.#write();
    }
  }

  async #write(): Promise<void> {
    // Before RESP3 (Redis 6) a subscriber could not write.
    if (this.redis.mode === 'subscriber') await this.redis.ping();
    else await this.redis.set(this.key, '', 'PX', keyTtlMs);
  }
}

const probes = new WeakMap<Redis, WriteProbe>();

/** Probes a connection for as long as it lives. */
export function probeWrites(redis: Redis, role: string, listener: ProbeListener): void {
  probes.set(redis, new WriteProbe(redis, `probe:${role}`, listener));
}

/** Whether a connection is ready, and no probe has failed since the last one that was written. */
export const takesWrites = (redis: Redis): boolean =>
  redis.status === 'ready' && !probes.get(redis)?.hasFailed;

/** Counts a connection as one without writes until the next probe is written. */
export const doubtWrites = (redis: Redis): void => probes.get(redis)?.doubt();

/**
 * Probes a connection at once, of which an answer was late.
 *
 * @returns whether the probe was written within `maxMs`; if not, the connection counts as one without writes
 */
export const proveWrites = async (redis: Redis, maxMs: number): Promise<boolean> =>
  redis.status === 'ready' && (await probes.get(redis)?.prove(maxMs)) !== false;
