import { isDatabaseUnavailable, isTooSlow } from '../../../shared/database/errors.js';
import { isTryAgain, OutcomeUnknown, tryAgain } from '../../../shared/errors.js';
import type { RefusalReason } from '../../stock/metrics.js';

export const busy = () => tryAgain('High demand: nothing was changed. Please try again.');

/**
 * Maps the failure of a batch to the error that its callers get. The work is idempotent: a retry
 * returns the outcome of a batch that was committed.
 *
 * @returns a reason for errors that may be retried only
 */
export function toStockRefusal(error: unknown): { mappedError: unknown; reason?: RefusalReason } {
  if (error instanceof OutcomeUnknown) {
    const mappedError = tryAgain('Temporary failure. Please try again.');
    return { mappedError, reason: 'unknown' };
  }
  if (isTooSlow(error)) return { mappedError: busy(), reason: 'busy' };
  if (isDatabaseUnavailable(error)) return { mappedError: error, reason: 'unavailable' };
  return isTryAgain(error) ? { mappedError: error, reason: 'busy' } : { mappedError: error };
}
