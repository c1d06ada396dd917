import type { ClientStream } from './client-stream.js';

/** The stream of one client, with its token and the expiry of the token. */
export interface Subscriber {
  readonly stream: ClientStream;
  readonly authorization: string | undefined;
  readonly expiresAtMs: number;
  /** Charges the client for events of its snapshot: the first of each entity. */
  charge(events: number): void;
}

/** The subscriber whose token expires last. All subscribers of a feed are the same user, or anonymous. */
export function longestValid(subscribers: Iterable<Subscriber>): Subscriber | undefined {
  let longest: Subscriber | undefined;
  for (const each of subscribers) {
    if (!longest || each.expiresAtMs > longest.expiresAtMs) longest = each;
  }
  return longest;
}
