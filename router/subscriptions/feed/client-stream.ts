import type { GraphQLFormattedError } from 'graphql';
import { KeyedLatest } from '../../../subgraphs/shared/messaging/keyed-latest.js';

/** One event as clients receive it, with formatted errors. The object is shared by all clients of a feed. */
export interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[];
  readonly extensions?: unknown;
}

/** Why the server ended a stream. `next` throws it once. */
export class StreamEnd extends Error {
  constructor(readonly errors: readonly GraphQLFormattedError[]) {
    super(errors[0]?.message ?? 'The subscription ended.');
  }
}

/**
 * The events that one client has not read yet: the latest of each entity, in the order of their arrival,
 * so that the memory of a slow client is bounded by the number of entities that it watches. Beyond `max`
 * entities the stream ends with an error: dropping an event would leave the client with stale data
 * without notice.
 */
export class ClientStream extends KeyedLatest<Result> {
  #unkeyed = 0;

  constructor(
    max: number,
    private readonly tooSlow: () => StreamEnd,
    onClose: () => void,
  ) {
    super(max, onClose);
  }

  /** @param key the entity of the event; null if no later event replaces this one */
  push(key: string | null, result: Result): void {
    if (this.isClosed) return;
    if (key === null) this.#unkeyed += 1;
    if (this.put(key ?? `#${this.#unkeyed}`, result)) this.release();
    else this.end(this.tooSlow());
  }
}
