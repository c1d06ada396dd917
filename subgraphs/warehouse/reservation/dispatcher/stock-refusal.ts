import { isDatabaseUnavailable, isTooSlow } from '../../../shared/database/errors.js';
import { isTryAgain, OutcomeUnknown, tryAgain } from '../../../shared/errors.js';
import type { RefusalReason } from '../../stock/metrics.js';

export const busy = () =>
  tryAgain('Many are buying this at the same moment; nothing was reserved yet.');

/**
 * What those who asked are told of a failure of their batch; the work is idempotent, so what became of
 * it is known when it is asked for again.
 *
 * @returns with no reason for what is not to be asked again
 */
export function toStockRefusal(error: unknown): { mappedError: unknown; reason?: RefusalReason } {
  if (error instanceof OutcomeUnknown) {
    const mappedError = tryAgain('The database went away at the last moment; ask again.');
    return { mappedError, reason: 'unknown' };
  }
  if (isTooSlow(error)) return { mappedError: busy(), reason: 'busy' };
  if (isDatabaseUnavailable(error)) return { mappedError: error, reason: 'away' };
  return isTryAgain(error) ? { mappedError: error, reason: 'busy' } : { mappedError: error };
}
