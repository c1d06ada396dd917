import { isDatabaseUnavailable } from '../database/errors.js';
import { asBegun } from '../observability/request-context.js';
import { type Batch, type CoalesceLimits, Coalescer } from './coalescer.js';

// One at a time, so that writes that arrive in the meantime are grouped: each is one statement and one commit. A second
// one beside a slow one, such as one that waits for a lock.
const limits = { inFlightMax: 2, besideAfterMs: 100, batchMax: 64 };
const timeoutMs = 9000;

/**
 * Combines writes that arrive at the same time into one statement (docs/adr/0016). If the statement fails,
 * each write is repeated alone, so that only those that cause the failure fail: writes must be idempotent.
 *
 * @param write one statement, which is a transaction by itself
 * @param first has `waitMaxMs` for writes that are the first of a request: a later one must not be refused half-way
 * @returns a function that makes one write; throws `TRY_AGAIN` if too many wait, or after the timeout
 */
export function groupWrites<Request, Outcome>(
  write: Batch<Request, Outcome>,
  first: Pick<CoalesceLimits, 'waitMaxMs'> = {},
) {
  const alone = async (request: Request) => {
    try {
      return (await asBegun(() => write([request])))[0] as Outcome;
    } catch (error) {
      return error as Error;
    }
  };
  const grouped = new Coalescer<Request, Outcome>(
    async (requests) => {
      try {
        return await asBegun(() => write(requests));
      } catch (error) {
        if (requests.length === 1 || isDatabaseUnavailable(error)) throw error;
        return Promise.all(requests.map(alone));
      }
    },
    { ...limits, ...first },
  );
  return (request: Request) => grouped.submit(request, timeoutMs);
}
