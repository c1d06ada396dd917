import type { Dispatcher } from 'undici';
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

/**
 * Sends one request by undici's `dispatch`: `request`, with a stream and a signal for each response, takes
 * twice the CPU time (docs/adr/0019-router.md). The deadline also applies while it waits for a connection.
 *
 * @param deadline may be moved later; `timeoutMs` is the subgraph's own limit
 * @returns the body of the response
 * @throws DeadlineExceeded, ServerError, connection errors of undici
 */
export function post(
  pool: Dispatcher,
  { onSend, ...request }: PostRequest,
  deadline: Deadline,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timeoutAtMs = performance.now() + timeoutMs;
    const handler = new ResponseHandler(deadline, timeoutAtMs, resolve, reject, onSend);
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
    private readonly deadline: Deadline,
    private readonly timeoutAtMs: number,
    private readonly resolve: (text: string) => void,
    private readonly reject: (error: Error) => void,
    private readonly onSend: (() => void) | undefined,
  ) {}

  deadlineMs(): number {
    return Math.min(this.timeoutAtMs, this.deadline.atMs);
  }

  expire(): void {
    this.#exceeded = new DeadlineExceeded(this.timeoutAtMs <= this.deadline.atMs);
    this.reject(this.#exceeded);
    this.#controller?.abort(this.#exceeded);
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
