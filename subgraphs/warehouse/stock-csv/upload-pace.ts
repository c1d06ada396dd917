import { HttpError } from '../../shared/http/http.js';
import { withTimeout } from '../../shared/resilience/with-timeout.js';

/** A client has to send `bytesMin` in each `windowMs` that it is waited for, until its file ends. */
export interface UploadPace {
  readonly windowMs: number;
  readonly bytesMin: number;
}
export const uploadPace: UploadPace = { windowMs: 10_000, bytesMin: 64 * 1024 };

const late = Symbol('late');

/**
 * The pieces of a file. The time in which a piece is processed does not count.
 *
 * @throws HttpError 408 for a client that sends too slowly, and would hold connections and memory
 */
export async function* atPace(
  content: AsyncIterable<Buffer>,
  { windowMs, bytesMin }: UploadPace = uploadPace,
): AsyncGenerator<Buffer> {
  const pieces = content[Symbol.asyncIterator]();
  let waitedMs = 0;
  let bytes = 0;
  try {
    for (;;) {
      const askedAtMs = performance.now();
      const piece = await withTimeout(windowMs - waitedMs, settled(pieces.next()), late);
      if (piece === late) throw new HttpError(408, tooSlow);
      if (piece instanceof Error) throw piece;
      if (piece.done) return;
      waitedMs += performance.now() - askedAtMs;
      bytes += piece.value.length;
      if (bytes >= bytesMin) {
        waitedMs = 0;
        bytes = 0;
      }
      yield piece.value;
    }
  } finally {
    // It waits for the piece that is late.
    pieces.return?.().catch(() => {});
  }
}

const tooSlow = 'The file was sent too slowly. Nothing was changed. Please send it again.';

const settled = <T>(promise: Promise<T>): Promise<T | Error | typeof late> =>
  promise.catch((error: unknown) => error as Error);
