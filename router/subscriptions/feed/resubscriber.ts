const firstRetryMs = 100;
const retryMaxMs = 2000;
/** number of lost subscriptions that are opened in each interval */
const perInterval = 5;
const intervalMs = 100;

type State = 'OPENING' | 'WAITING' | 'PROBING' | 'SPREADING';

/**
 * Opens the subscriptions of one connection, and those that were lost with it again.
 *
 * - OPENING: each is opened at once. A lost connection leads to WAITING.
 * - WAITING: for a random time below a limit that doubles with each failure, so that the routers do not all
 *   return at the same moment. Then one is opened: PROBING.
 * - PROBING: `connected` leads to SPREADING, a lost connection to WAITING.
 * - SPREADING: the others follow, a bounded number in each interval. After the last: OPENING.
 *
 * New ones come first, since their clients have nothing to show: in SPREADING too, each is opened at once.
 */
export class Resubscriber<T> {
  #state: State = 'OPENING';
  /** those that were never opened */
  readonly #added = new Set<T>();
  readonly #lost = new Set<T>();
  #probe: T | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #connectedAtMs = 0;

  /**
   * @param open opens a subscription, and the connection if there is none
   * @param random a number from 0 to below 1
   */
  constructor(
    private readonly open: (each: T) => void,
    private readonly random: () => number = Math.random,
  ) {}

  add(each: T): void {
    if (this.#state === 'OPENING' || this.#state === 'SPREADING') this.open(each);
    else this.#added.add(each);
  }

  /** The connection of a subscription was lost, or not opened. */
  lose(each: T): void {
    this.#lost.add(each);
    if (this.#state === 'WAITING') return;
    if (this.#connectedAtMs && Date.now() - this.#connectedAtMs > retryMaxMs) this.#failures = 0;
    this.#connectedAtMs = 0;
    const limitMs = Math.min(retryMaxMs, firstRetryMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#enter('WAITING', () => this.#openProbe(), this.random() * limitMs);
  }

  connected(): void {
    this.#connectedAtMs = Date.now();
    if (this.#state === 'PROBING') this.#spread();
  }

  /** The subscription is not wanted any more. */
  remove(each: T): void {
    this.#added.delete(each);
    this.#lost.delete(each);
    // Without it nothing would open the connection for the others.
    if (this.#state === 'PROBING' && each === this.#probe) this.#openProbe();
  }

  /** Opens nothing any more that was lost. */
  close(): void {
    this.#added.clear();
    this.#lost.clear();
    this.#enter('OPENING');
  }

  #openProbe(): void {
    this.#enter('PROBING');
    this.#probe = this.#next();
    if (this.#probe === undefined) this.#enter('OPENING');
    else this.open(this.#probe);
  }

  #spread(): void {
    for (let n = 0; n < perInterval; n++) {
      const next = this.#next();
      if (next === undefined) {
        this.#enter('OPENING');
        return;
      }
      this.open(next);
    }
    this.#enter('SPREADING', () => this.#spread(), intervalMs * (0.5 + this.random()));
  }

  #next(): T | undefined {
    for (const queue of [this.#added, this.#lost]) {
      for (const each of queue) {
        queue.delete(each);
        return each;
      }
    }
    return undefined;
  }

  #enter(state: State, next?: () => void, afterMs?: number): void {
    clearTimeout(this.#timer);
    this.#state = state;
    this.#timer = next && setTimeout(next, afterMs);
  }
}
