import { isDatabaseAway } from '../database/errors.js';
import { type Batch, Coalescer } from './coalescer.js';

// Few at once, so that what comes meanwhile goes together; each is one statement, and one commit.
const limits = { inFlightMax: 2, batchMax: 64 };
const withinMs = 9000;

/**
 * Has writes of a kind that come at the same time made by one statement (docs/adr/0016). Where that fails,
 * each is made by itself, so that none fails for another's sake: each must do no harm when it is made again.
 *
 * @param write one statement, which is a transaction by itself
 * @returns what makes one; it throws `TRY_AGAIN` when too many wait, or for too long
 */
export function groupWrites<Request, Outcome>(write: Batch<Request, Outcome>) {
  const alone = async (request: Request) => {
    try {
      return (await write([request]))[0] as Outcome;
    } catch (error) {
      return error as Error;
    }
  };
  const together = new Coalescer<Request, Outcome>(async (requests) => {
    try {
      return await write(requests);
    } catch (error) {
      if (requests.length === 1 || isDatabaseAway(error)) throw error;
      return Promise.all(requests.map(alone));
    }
  }, limits);
  return (request: Request) => together.submit(request, withinMs);
}
