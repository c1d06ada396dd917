/**
 * A number of connections to one server, and those who wait for one, in order of arrival. It is in front of the queue
 * of undici's pool, from which a request that has expired cannot be removed.
 */
export class ConnectionSlots {
  readonly #waiting = new Set<() => void>();
  #used = 0;

  constructor(readonly max: number) {}

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * @param start called with a slot, at once or later; then `freeAfterResponse` or `freeAfterError` must be called,
   *   once, by the handler of the request
   */
  take(start: () => void): void {
    if (this.#used >= this.max || this.#waiting.size > 0) this.#waiting.add(start);
    else this.#start(start);
  }

  /** Removes a waiting request. */
  leave(start: () => void): void {
    this.#waiting.delete(start);
  }

  /** undici calls `setImmediate` after the handler of a response, and takes the connection back in it. */
  freeAfterResponse(): void {
    queueMicrotask(() => setImmediate(() => this.#free()));
  }

  /** undici may be about to close the connection, which Node.js does after the callbacks of `setImmediate`. */
  freeAfterError(): void {
    setImmediate(() => setImmediate(() => this.#free()));
  }

  #free(): void {
    this.#used -= 1;
    this.#startWaiting();
  }

  #startWaiting(): void {
    for (const start of this.#waiting) {
      if (this.#used >= this.max) return;
      this.#waiting.delete(start);
      this.#start(start);
    }
  }

  #start(start: () => void): void {
    this.#used += 1;
    start();
  }
}
