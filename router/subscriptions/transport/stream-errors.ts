import type { GraphQLError, GraphQLFormattedError } from 'graphql';
import { StreamEnd } from '../feed/client-stream.js';
import type { FormatErrors } from '../feed/format-errors.js';

const ofClosedConnections = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'];

/**
 * Formats the errors that end a stream, which graphql-ws wraps as `originalError`. That of a connection which its client
 * has closed is not formatted, so not logged: nobody receives it, and thousands of clients may leave at once.
 */
export function formatStreamErrors(
  errors: readonly { originalError?: unknown }[],
  format: FormatErrors,
): readonly GraphQLFormattedError[] {
  return errors.flatMap((error) => {
    const { originalError } = error as GraphQLError;
    if (originalError instanceof StreamEnd) return originalError.errors;
    const { code = '' } = (originalError ?? {}) as { readonly code?: string };
    return ofClosedConnections.includes(code) ? [connectionClosed] : format([error]);
  });
}

const connectionClosed: GraphQLFormattedError = {
  message: 'The connection was closed.',
  extensions: { code: 'TRY_AGAIN' },
};
