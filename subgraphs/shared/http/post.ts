import type { Dispatcher, Pool } from 'undici';
import { type Deadline, DeadlineExceeded, deadlines } from './deadlines.js';

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
  readonly timeoutMs: number;
  /** how long the request may wait for a connection */
  readonly startMaxMs?: number;
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
  pool: Pool,
  { onSend, ...request }: PostRequest,
  deadline: Deadline,
  { timeoutMs, startMaxMs = Number.POSITIVE_INFINITY }: PostLimits,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const nowMs = performance.now();
    const limits = {
      pool,
      deadline,
      timeoutAtMs: nowMs + timeoutMs,
      startAtMs: nowMs + startMaxMs,
    };
    const handler = new ResponseHandler(limits, resolve, reject, onSend);
    deadlines.add(handler);
    pool.dispatch({ method: 'POST', ...request }, handler);
  });
}

class ResponseHandler implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #exceeded: DeadlineExceeded | undefined;
  #status = 0;
  readonly #chunks: Buffer[] = [];

  constructor(
    private readonly limits: {
      readonly pool: Pool;
      readonly deadline: Deadline;
      readonly timeoutAtMs: number;
      readonly startAtMs: number;
    },
    private readonly resolve: (text: string) => void,
    private readonly reject: (error: Error) => void,
    private readonly onSend: (() => void) | undefined,
  ) {}

  deadlineMs(): number {
    const { deadline, timeoutAtMs, startAtMs } = this.limits;
    return Math.min(timeoutAtMs, deadline.atMs, this.#controller ? timeoutAtMs : startAtMs);
  }

  expire(): void {
    this.#exceeded = new DeadlineExceeded(this.#isSubgraphFault());
    this.reject(this.#exceeded);
    this.#controller?.abort(this.#exceeded);
  }

  /** Not if the operation's deadline came first, or if all connections were busy: that is load. */
  #isSubgraphFault(): boolean {
    const { pool, deadline, timeoutAtMs, startAtMs } = this.limits;
    const first = this.deadlineMs();
    if (first === deadline.atMs && first < timeoutAtMs) return false;
    return first !== startAtMs || pool.stats.connected === 0;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exceeded) controller.abort(this.#exceeded);
    else this.onSend?.();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    deadlines.delete(this);
    const [first, ...more] = this.#chunks;
    const whole = first && more.length === 0 ? first : Buffer.concat(this.#chunks);
    const text = whole.toString();
    if (this.#status >= 500) this.reject(new ServerError(this.#status, text));
    else this.resolve(text);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    deadlines.delete(this);
    this.reject(error);
  }
}
