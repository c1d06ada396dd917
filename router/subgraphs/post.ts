import type { Dispatcher } from 'undici';
import { deadlines, LateError, type Patience } from './deadlines.js';

export interface Post {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Sends one request by undici's `dispatch`: `request`, with a stream and a signal for each answer,
 * takes twice the CPU time (docs/adr/0019-router.md). What waits for a connection waits no longer
 * than what was sent.
 *
 * @param patience of those who wait, which may grow meanwhile; `timeoutMs` is the subgraph's own limit
 * @returns the body of the answer
 * @throws LateError, what undici says of the connection, and for an answer of 500 or above
 */
export function post(
  pool: Dispatcher,
  request: Post,
  patience: Patience,
  timeoutMs: number,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const answer = new Answer(patience, performance.now() + timeoutMs, resolve, reject);
    deadlines.add(answer);
    pool.dispatch({ method: 'POST', ...request }, answer);
  });
}

class Answer implements Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | undefined;
  #late: LateError | undefined;
  #status = 0;
  readonly #chunks: Buffer[] = [];

  constructor(
    private readonly patience: Patience,
    private readonly limitMs: number,
    private readonly resolve: (text: string) => void,
    private readonly reject: (error: Error) => void,
  ) {}

  untilMs(): number {
    return Math.min(this.limitMs, this.patience.untilMs);
  }

  giveUp(): void {
    this.#late = new LateError(this.limitMs <= this.patience.untilMs);
    this.reject(this.#late);
    this.#controller?.abort(this.#late);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#late) controller.abort(this.#late);
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
