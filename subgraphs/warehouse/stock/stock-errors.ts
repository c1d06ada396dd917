import { isDatabaseUnavailable } from '../../shared/database/errors.js';
import { DomainError, OutcomeUnknown } from '../../shared/errors.js';

/** Another transaction made a row that this one counted on not being there: it has to run again. */
export class ConcurrentChange extends Error {}

/** The connection was lost at COMMIT, and nothing stands in the database. */
export class NotCommitted extends Error {}

/** Whether a failure to move stock would be the same for every member of a batch. */
export const failsForAll = (error: unknown): boolean =>
  isDatabaseUnavailable(error) || error instanceof OutcomeUnknown || error instanceof DomainError;
