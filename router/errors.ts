import { GraphQLError } from 'graphql';

/** The error for an operation that is refused before execution, with HTTP status 400. */
export const badOperation = (code: string, message: string) =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
