import { HeaderMap } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { DomainError } from '../subgraphs/shared/errors.js';
import { retryAfterSeconds } from '../subgraphs/shared/http/http.js';

/** The error for an operation that is refused before execution, with HTTP status 400. */
export const badOperation = (code: string, message: string) =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });

/** Adds status and `Retry-After` to `RATE_LIMITED`: Apollo Server takes both from the error. Others are unchanged. */
export function withRateLimitStatus(error: unknown): unknown {
  if (!(error instanceof DomainError) || error.extensions.code !== 'RATE_LIMITED') return error;
  const { message, extensions } = error;
  const retryAfterMs = extensions.retryAfterMs as number;
  const headers = new HeaderMap([['retry-after', retryAfterSeconds(retryAfterMs)]]);
  return new DomainError('RATE_LIMITED', message, {
    retryAfterMs,
    http: { status: 429, headers },
  });
}
