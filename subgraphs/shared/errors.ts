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
  /** of a subgraph to a process that it does not know; clients never see it */
  | 'UNKNOWN_CALLER';

/** An error that a client is meant to read: its message and extensions go out as they are. */
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
export const forbidden = (message = 'This is not yours to do.') =>
  new DomainError('FORBIDDEN', message);
export const notFound = (what: string, key: string) =>
  new DomainError('NOT_FOUND', `There is no ${what} ${key}.`);
export const conflict = (message: string) => new DomainError('CONFLICT', message);
export const unknownCaller = () =>
  new DomainError('UNKNOWN_CALLER', 'This subgraph answers its own system only.');
/** A dependency is away or busy: the same request, with the same key, may be sent again. */
export const tryAgain = (message: string) => new DomainError('TRY_AGAIN', message);

/** Whether an error says that. */
export const isTryAgain = (error: unknown): boolean =>
  error instanceof DomainError && error.extensions.code === 'TRY_AGAIN';

/** Too much was asked; `retryAfterMs` from now the same may be asked again. */
export const rateLimited = (message: string, retryAfterMs: number) =>
  new DomainError('RATE_LIMITED', message, { retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) });

/** The connection was lost at COMMIT, and what became of it could not be looked up. */
export class OutcomeUnknown extends Error {}

/** Another subgraph answered with a fault of its own; `code` is what it called that. */
export class UpstreamFault extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(message);
  }
}
