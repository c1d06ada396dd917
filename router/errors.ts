import { GraphQLError } from 'graphql';

/** An operation that is refused before it is executed, with the HTTP status 400. */
export const badOperation = (code: string, message: string) =>
  new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
