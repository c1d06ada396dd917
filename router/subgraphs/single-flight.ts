import type { Deadline } from './deadlines.js';

interface Flight<T> {
  readonly answer: Promise<T>;
  readonly deadline: Deadline;
}

/**
 * Questions that are being asked, so that who asks the same, as the same, at the same moment waits
 * for the same answer. Nobody gets an answer that was begun before a mutation of theirs ended: what
 * they wrote would be missing in it.
 */
export class SingleFlight<T> {
  readonly #byIdentity = new Map<string, Map<string, Flight<T>>>();

  /**
   * @param identity key of the identity; responses are shared within one identity only
   * @param key what is asked
   * @param deadlineMs until when this one waits, by `performance.now()`; who waits longer than who
   *   asked first makes the deadline of the flight later
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

  /** Requests of this identity from now on are sent again. */
  forget(identity: string): void {
    this.#byIdentity.delete(identity);
  }

  get size(): number {
    return [...this.#byIdentity.values()].reduce((sum, { size }) => sum + size, 0);
  }
}
