import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DomainError, tryAgain, unauthenticated } from '../../../subgraphs/shared/errors.js';

type FormatError = (formatted: GraphQLFormattedError, thrown: unknown) => GraphQLFormattedError;

/** Formats errors for clients as Apollo Server formats those of queries. */
export type FormatErrors = (errors: readonly unknown[]) => readonly GraphQLFormattedError[];

/**
 * @param format Apollo Server's `formatError`
 * @param countError is called with the code of each
 */
export function errorFormatter(
  format: FormatError,
  countError: (code: string) => void = () => {},
): FormatErrors {
  return (errors) =>
    errors.map((thrown) => {
      const { message, locations, path, extensions } = formattedOf(thrown);
      const code = extensions?.code ?? 'INTERNAL_SERVER_ERROR';
      const formatted = {
        message,
        ...(locations && { locations }),
        ...(path && { path }),
        extensions: { ...extensions, code },
      };
      const shown = format(formatted, thrown);
      countError(String(shown.extensions?.code));
      return shown;
    });
}

function formattedOf(thrown: unknown): GraphQLFormattedError {
  if (thrown instanceof GraphQLError) return thrown.toJSON();
  if (thrown instanceof Error) return { message: thrown.message };
  return thrown as GraphQLFormattedError; // already formatted by a subgraph
}

export const tokenExpired = () => unauthenticated('The access token expired.');

export const sessionEnded = () => unauthenticated('The session has ended. Log in again.');

export const upstreamEnded = (name: string) =>
  tryAgain(`The ${name} service ended the subscription. Please subscribe again.`);

export const tooManyEvents = () => tryAgain('Too many events at once. Please subscribe again.');

export const tooSlow = () => tryAgain('Events are received too slowly. Please subscribe again.');

export const tooMany = (message: string) =>
  new DomainError('RATE_LIMITED', message, { retryAfterMs: 1000 });

export const schemaReload = () =>
  new GraphQLError('The schema has changed. Please subscribe again.', {
    extensions: { code: 'SUBSCRIPTION_SCHEMA_RELOAD' },
  });

export const shuttingDown = () => tryAgain('The server is shutting down. Please subscribe again.');
