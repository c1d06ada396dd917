import type { Deadline } from '../../subgraphs/shared/resilience/deadlines.js';

interface Flight<T> {
  readonly answer: Promise<T>;
  readonly deadline: Deadline;
}

/**
 * Equal requests that are sent once. Without a token, a request joins one in flight. With a token, it joins only
 * one that is sent in the same turn, before anything else is received: so nobody gets a response that was started
 * before a mutation of theirs ended, at whichever router.
 */
export class SingleFlight<T> {
  readonly #joinable = new Map<string, Flight<T>>();

  /**
   * @param token of the user; '' without one. Responses are shared within one token only
   * @param key of the request
   * @param deadlineMs of this caller, by `performance.now()`; a later one than the flight's extends it
   */
  share(
    token: string,
    key: string,
    deadlineMs: number,
    send: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const id = `${token} ${key}`;
    const joined = this.#joinable.get(id);
    if (joined) {
      joined.deadline.atMs = Math.max(joined.deadline.atMs, deadlineMs);
      return joined.answer;
    }
    const deadline = { atMs: deadlineMs };
    const close = () => this.#joinable.delete(id);
    const answer = token === '' ? send(deadline).finally(close) : send(deadline);
    this.#joinable.set(id, { answer, deadline });
    // It runs once all promises that have been settled by now have been handled.
    if (token !== '') process.nextTick(close);
    return answer;
  }

  get size(): number {
    return this.#joinable.size;
  }
}
