import { isDatabaseUnavailable } from '../../shared/database/errors.js';
import { DomainError, OutcomeUnknown } from '../../shared/errors.js';

/** Another transaction inserted a row first: the transaction must run again. */
export class ConcurrentChange extends Error {}

/** The connection was lost at COMMIT, and nothing was committed. */
export class NotCommitted extends Error {}

/** Whether every member of a batch would fail with this error. */
export const failsForAll = (error: unknown): boolean =>
  isDatabaseUnavailable(error) || error instanceof OutcomeUnknown || error instanceof DomainError;
