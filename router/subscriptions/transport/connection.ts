import { CloseCode } from 'graphql-ws';
import type { WebSocket } from 'ws';
import { whenClosed } from '../../../subgraphs/shared/http/when-closed.js';
import type { ClientStream } from '../feed/client-stream.js';
import type { Client } from '../feed/hub.js';

const timerMaxMs = 2 ** 31 - 1;
// Subscriptions get the reason as an error of their own before the connection is closed.
const reasonMaxMs = 100;

interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * A client's WebSocket and its operations. It is closed only between responses, because a client that is closed
 * without the result of its mutation sends it again, over the next connection.
 */
export class Connection {
  client?: Client;
  /** by the id that the client chose: the open stream; null while a query or mutation runs, or until the stream opens */
  readonly #operations = new Map<string, ClientStream | null>();
  #closing: Closing | undefined;

  constructor(
    private readonly socket: WebSocket,
    readonly address: string,
  ) {
    whenClosed(socket, () => {
      for (const stream of this.#operations.values()) void stream?.return();
      this.#operations.clear();
    });
  }

  /** number of running queries and mutations and of open streams, without streams that have just ended */
  get size(): number {
    return [...this.#operations.values()].filter((stream) => !stream?.isClosed).length;
  }

  /**
   * @returns false if the connection is closing. Also false for an id that is in use: the connection is
   *   then closed, because graphql-ws would lose one of the two operations
   */
  start(id: string): boolean {
    if (this.#closing) return false;
    if (this.#operations.has(id)) {
      this.socket.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
      return false;
    }
    this.#operations.set(id, null);
    return true;
  }

  attach(id: string, stream: ClientStream): void {
    if (this.#operations.has(id)) this.#operations.set(id, stream);
    else void stream.return(); // the connection was closed meanwhile
    this.#closeIfNothingRuns();
  }

  /** The result is being sent, or the client has unsubscribed: by the next turn it is on its way. */
  end(id: string): void {
    setImmediate(() => {
      this.#operations.delete(id);
      this.#closeIfNothingRuns();
    });
  }

  closeAfterResponses(closing: Closing): void {
    this.#closing ??= closing;
    this.#closeIfNothingRuns();
  }

  /** Its subscriptions end by themselves then. */
  closeAt(expiresAtMs: number): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY) return;
    this.#closeIn(expiresAtMs - Date.now() + reasonMaxMs, 'The access token expired');
  }

  /** Its subscriptions are ended with the reason first. */
  closeSoon(reason: string): void {
    this.#closeIn(reasonMaxMs, reason);
  }

  #closeIn(ms: number, reason: string): void {
    const closing = { code: CloseCode.Forbidden, reason };
    const close = () => this.closeAfterResponses(closing);
    const timer = setTimeout(close, Math.min(timerMaxMs, ms));
    whenClosed(this.socket, () => clearTimeout(timer));
  }

  #closeIfNothingRuns(): void {
    if (!this.#closing || [...this.#operations.values()].includes(null)) return;
    this.socket.close(this.#closing.code, this.#closing.reason);
  }
}
