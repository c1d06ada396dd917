import type { Deadline } from './deadlines.js';

interface Flight<T> {
  readonly answer: Promise<T>;
  readonly deadline: Deadline;
}

/**
 * Requests in flight: an equal request of the same identity waits for the same response. Nobody gets a
 * response that was started before a mutation of theirs ended: it would lack what they wrote.
 */
export class SingleFlight<T> {
  readonly #byIdentity = new Map<string, Map<string, Flight<T>>>();

  /**
   * @param identity key of the identity; responses are shared within one identity only
   * @param key of the request
   * @param deadlineMs of this caller, by `performance.now()`; a later one than the flight's extends it
   */
  share(
    identity: string,
    key: string,
    deadlineMs: number,
    send: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const flights = this.#byIdentity.get(identity) ?? new Map<string, Flight<T>>();
    const joined = flights.get(key);
    if (joined) {
      joined.deadline.atMs = Math.max(joined.deadline.atMs, deadlineMs);
      return joined.answer;
    }
    const deadline = { atMs: deadlineMs };
    const answer = send(deadline).finally(() => {
      if (flights.get(key)?.answer === answer) flights.delete(key);
      if (flights.size === 0 && this.#byIdentity.get(identity) === flights) {
        this.#byIdentity.delete(identity);
      }
    });
    flights.set(key, { answer, deadline });
    this.#byIdentity.set(identity, flights);
    return answer;
  }

  /** Later requests of this identity are sent again. */
  forget(identity: string): void {
    this.#byIdentity.delete(identity);
  }

  get size(): number {
    return [...this.#byIdentity.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
