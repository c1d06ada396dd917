import { CloseCode } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { ClientStream } from '../feed/client-stream.js';
import type { Client } from '../feed/hub.js';

const timerMaxMs = 2 ** 31 - 1;

interface Closing {
  readonly code: number;
  readonly reason: string;
}

/**
 * A client's WebSocket, and what runs on it. It is closed between answers only: a client that was
 * without the result of its mutation sends it again, over the next connection.
 */
export class Connection {
  client?: Client;
  /** by the client's id: a stream that is open; null while a query or mutation runs, or none is open yet */
  readonly #operations = new Map<string, ClientStream | null>();
  #closing: Closing | undefined;

  constructor(
    private readonly socket: WebSocket,
    readonly address: string,
  ) {
    socket.once('close', () => {
      for (const stream of this.#operations.values()) void stream?.return();
      this.#operations.clear();
    });
  }

  /** how many operations run or are open; not those that the client has just let go */
  get size(): number {
    return [...this.#operations.values()].filter((stream) => !stream?.isClosed).length;
  }

  /**
   * @returns false where nothing is begun any more, and for an id whose operation runs still, of which
   *   graphql-ws would lose one: then it is closed
   */
  begin(id: string): boolean {
    if (this.#closing) return false;
    if (this.#operations.has(id)) {
      this.socket.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
      return false;
    }
    this.#operations.set(id, null);
    return true;
  }

  keep(id: string, stream: ClientStream): void {
    if (this.#operations.has(id)) this.#operations.set(id, stream);
    else void stream.return(); // the connection was closed meanwhile
    this.#closeIfAnswered();
  }

  /** The result is being sent, or the client has unsubscribed: by the next turn it is on its way. */
  end(id: string): void {
    setImmediate(() => {
      this.#operations.delete(id);
      this.#closeIfAnswered();
    });
  }

  closeOnceAnswered(closing: Closing): void {
    this.#closing ??= closing;
    this.#closeIfAnswered();
  }

  /** Its subscriptions end by themselves then; it is closed a little later, so that they get the reason. */
  closeAt(expiresAtMs: number): void {
    if (expiresAtMs === Number.POSITIVE_INFINITY) return;
    const leftMs = Math.min(timerMaxMs, expiresAtMs - Date.now() + 100);
    const closing = { code: CloseCode.Forbidden, reason: 'The access token expired' };
    const timer = setTimeout(() => this.closeOnceAnswered(closing), leftMs);
    this.socket.once('close', () => clearTimeout(timer));
  }

  #closeIfAnswered(): void {
    if (!this.#closing || [...this.#operations.values()].includes(null)) return;
    this.socket.close(this.#closing.code, this.#closing.reason);
  }
}
