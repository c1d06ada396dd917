import type { ApolloServerPlugin, BaseContext } from '@apollo/server';

const jsonOnly = (accept: string) =>
  accept.includes('application/json') && !accept.includes('application/graphql-response+json');

// What GraphQL over HTTP says of a document that cannot be parsed, validated or given its variables.
const codes = ['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT'];

/**
 * A client that asks for `application/json`, and not for `application/graphql-response+json`, is
 * answered 200 also where its operation is no good: it would not look for `errors` in another answer.
 */
export const jsonStatus: ApolloServerPlugin<BaseContext> = {
  async requestDidStart({ request }) {
    if (!jsonOnly(request.http?.headers.get('accept') ?? '')) return;
    return {
      async willSendResponse({ errors, response: { http } }) {
        const code = errors?.[0]?.extensions.code;
        if (http.status === 400 && codes.includes(code as string)) http.status = 200;
      },
    };
  },
};
