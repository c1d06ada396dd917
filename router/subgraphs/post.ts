import type { Dispatcher } from 'undici';
import { type Deadline, DeadlineExceeded, deadlines } from './deadlines.js';

export interface PostRequest {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Sends one request by undici's `dispatch`: `request`, with a stream and a signal for each response, takes
 * twice the CPU time (docs/adr/0019-router.md). The deadline also applies while it waits for a connection.
 *
 * @param deadline may be moved later; `timeoutMs` is the subgraph's own limit
 * @returns the body of the response
 * @throws DeadlineExceeded, connection errors of undici, and for a status of 500 or above
 */
export function post(
  pool: Dispatcher,
  request: PostRequest,
  deadline: Deadline,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const handler = new ResponseHandler(deadline, performance.now() + timeoutMs, resolve, reject);
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
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    this.#status = statusCode;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    deadlines.delete(this);
    if (this.#status >= 500) {
      this.reject(new Error(`it answered ${this.#status}`));
      return;
    }
    const [first, ...more] = this.#chunks;
    const whole = first && more.length === 0 ? first : Buffer.concat(this.#chunks);
    this.resolve(whole.toString());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    deadlines.delete(this);
    this.reject(error);
  }
}
