import { GraphQLError } from 'graphql';

export type ErrorCode =
  | 'BAD_USER_INPUT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'RATE_LIMITED'
  | 'TRY_AGAIN'
  /** it is not known whether a mutation happened */
  | 'OUTCOME_UNKNOWN'
  /** what a mutation that happened selected could not be read */
  | 'UNAVAILABLE'
  /** returned to a process with unknown credentials; never sent to clients */
  | 'UNKNOWN_CALLER';

/** An error for clients: its message and extensions are sent unchanged. */
export class DomainError extends GraphQLError {
  constructor(code: ErrorCode, message: string, extensions: Record<string, unknown> = {}) {
    super(message, { extensions: { code, ...extensions } });
    this.name = 'DomainError';
  }
}

/** @param fields path of the offending input → what is wrong with it */
export function badInput(fields: Record<string, string>): DomainError {
  const reasons = Object.entries(fields).map(([path, reason]) => `${path}: ${reason}`);
  return new DomainError('BAD_USER_INPUT', reasons.join('; '), { fields });
}
export const unauthenticated = (message = 'Log in first.') =>
  new DomainError('UNAUTHENTICATED', message);
export const forbidden = (message = 'You do not have permission to do this.') =>
  new DomainError('FORBIDDEN', message);
export const notFound = (what: string, key: string) =>
  new DomainError('NOT_FOUND', `There is no ${what} ${key}.`);
export const conflict = (message: string) => new DomainError('CONFLICT', message);
export const unknownCaller = () =>
  new DomainError(
    'UNKNOWN_CALLER',
    'This subgraph accepts requests only from the processes of its own system.',
  );
/** A dependency is unavailable or busy, and nothing happened: the request may be retried. */
export const tryAgain = (message: string) => new DomainError('TRY_AGAIN', message);

const outcomeUnknownMessage =
  'It is not known whether this happened. Repeat it with the same idempotencyKey, or check first.';
/** A mutation may have happened: only with the same key it may be repeated without a look. */
export const outcomeUnknown = (message = outcomeUnknownMessage) =>
  new DomainError('OUTCOME_UNKNOWN', message);

/** What a mutation that happened returns could not be read: it must not be repeated. */
export const unavailable = (message: string) => new DomainError('UNAVAILABLE', message);

/** Whether an error has the code `TRY_AGAIN`. */
export const isTryAgain = (error: unknown): boolean =>
  error instanceof DomainError && error.extensions.code === 'TRY_AGAIN';

/** A rate limit is exceeded; the request may be retried after `retryAfterMs`. */
export const rateLimited = (message: string, retryAfterMs: number) =>
  new DomainError('RATE_LIMITED', message, { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });

/** The connection was lost at COMMIT, and the outcome of the transaction could not be looked up. */
export class OutcomeUnknown extends Error {}

/** Another subgraph responded with an internal fault, which has its `code`. */
export class UpstreamFault extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}
