import type { Dispatcher, Pool } from 'undici';
import { type Deadline, DeadlineExceeded, deadlines } from '../resilience/deadlines.js';
import type { ConnectionSlots } from './connection-slots.js';

export interface PostRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  /** called just before the request is written: until then the subgraph cannot have received it */
  onSend?(): void;
}

/** A response with a status of 500 or above. */
export class ServerError extends Error {
  constructor(
    status: number,
    readonly body: string,
  ) {
    super(`it answered ${status}`);
  }
}

export const isTooLarge = (error: unknown) =>
  (error as { code?: string }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE';

export interface PostLimits {
  /** the subgraph's own limit */
  readonly timeoutMs?: number;
  /** how long the request may wait for a connection */
  readonly startMaxMs?: number;
}

/** Where requests are sent. */
export interface Connections {
  /** has as many connections as `slots`, or more */
  readonly pool: Pool;
  readonly slots: ConnectionSlots;
}

/**
 * Sends one request by undici's `dispatch`: `request`, with a stream and a signal for each response, takes
 * twice the CPU time (docs/adr/0019-router.md). The deadline also applies while it waits for a connection.
 *
 * @param deadline may be moved later
 * @returns the body of the response
 * @throws DeadlineExceeded, ServerError, connection errors of undici
 */
export function post(
  connections: Connections,
  request: PostRequest,
  deadline: Deadline,
  { timeoutMs = Infinity, startMaxMs = Infinity }: PostLimits,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const nowMs = performance.now();
    const limits = { deadline, timeoutAtMs: nowMs + timeoutMs, startAtMs: nowMs + startMaxMs };
    new Exchange(connections, request, limits, resolve, reject).begin();
  });
}

/**
 * One request and its response: it waits for a slot, has a slot and waits until its connection is open, is sent, and
 * has ended. If it expires while its connection is opened, that connection stays for others.
 */
class Exchange implements Dispatcher.DispatchHandler {
  #hasSlot = false;
  #hasEnded = false;
  #controller: Dispatcher.DispatchController | undefined;
  #exceeded: DeadlineExceeded | undefined;
  #status = 0;
  readonly #chunks: Buffer[] = [];

  constructor(
    private readonly connections: Connections,
    private readonly request: PostRequest,
    private readonly limits: {
      readonly deadline: Deadline;
      readonly timeoutAtMs: number;
      readonly startAtMs: number;
    },
    private readonly resolve: (text: string) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  begin(): void {
    deadlines.add(this);
    this.connections.slots.take(this.#dispatch);
  }

  readonly #dispatch = () => {
    this.#hasSlot = true;
    const { onSend: _, ...request } = this.request;
    this.connections.pool.dispatch({ method: 'POST', ...request }, this);
  };

  deadlineMs(): number {
    const { deadline, timeoutAtMs, startAtMs } = this.limits;
    return Math.min(timeoutAtMs, deadline.atMs, this.#controller ? timeoutAtMs : startAtMs);
  }

  expire(): void {
    this.#exceeded = new DeadlineExceeded(this.#isSubgraphFault());
    this.reject(this.#exceeded);
    if (this.#hasSlot) this.#controller?.abort(this.#exceeded);
    else this.connections.slots.leave(this.#dispatch);
  }

  /**
   * Not if the operation's deadline came first, or if it waited for other requests: that is load. Without any open
   * connection it waited for none: those who have the slots cannot connect either.
   */
  #isSubgraphFault(): boolean {
    const { deadline, timeoutAtMs, startAtMs } = this.limits;
    const first = this.deadlineMs();
    if (first === deadline.atMs && first < timeoutAtMs) return false;
    return first === startAtMs ? this.connections.pool.stats.connected === 0 : this.#hasSlot;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // To abort would close the connection.
    if (this.#exceeded) throw this.#exceeded;
    this.#controller = controller;
    this.request.onSend?.();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#end('freeAfterResponse');
    const [first, ...more] = this.#chunks;
    const whole = first && more.length === 0 ? first : Buffer.concat(this.#chunks);
    const text = whole.toString();
    if (this.#status >= 500) this.reject(new ServerError(this.#status, text));
    else this.resolve(text);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end('freeAfterError');
    this.reject(error);
  }

  #end(free: 'freeAfterResponse' | 'freeAfterError'): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    deadlines.delete(this);
    this.connections.slots[free]();
  }
}
