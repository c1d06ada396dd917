import type { Redis } from 'ioredis';

const probeEveryMs = 1000;
const keyTtlMs = 10_000;
/** the commands of probes */
export const probeCommands = ['set', 'ping'];

/** What a server answers that cannot serve; at the same address there may be another one by now. */
const cannotServe = /^(?:READONLY|LOADING|MASTERDOWN)\b|-READONLY\b/;

/** Whether a connection has to be made again, by the answer to a command. */
export const isOfDemotedServer = ({ message }: Error) => cannotServe.test(message);
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
 * - WORKING: at first, and after a probe was written. → FAILED by a probe that was refused or not answered,
 *   by `doubtWrites`, and when the connection is closed.
 * - FAILED: what needs writes leaves it out. → WORKING by the next probe that was written.
 *
 * The answer of a server that cannot serve closes the connection (`reconnectOnError`), and so does silence
 * (`socketTimeout`), which without the probe a subscriber would not notice. It is then made again, and its
 * address resolved again. Other refusals (no memory, no right) leave it open, as a new connection would not
 * change them.
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

  async #probe(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      await this.#write();
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
