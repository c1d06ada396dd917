import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, Kind, parse } from 'graphql';

/**
 * GraphiQL updates which operation of a tab is run, and its parsed text, a moment late: who runs a
 * tab just after choosing it would run the operation of the tab before it. So both are read again here.
 */
export function createFetcher(url: string, subscriptionUrl: string): Fetcher {
  // The headers of the editor go along as connectionParams, which is where graphql-ws has the token.
  const fetcher = createGraphiQLFetcher({ url, subscriptionUrl });
  return (params, options) => {
    const document = parseOrNull(params.query);
    if (!document) return fetcher(params, options);
    const names = document.definitions.flatMap((each) =>
      each.kind === Kind.OPERATION_DEFINITION ? [each.name?.value] : [],
    );
    const { operationName: given } = params;
    const operationName = names.length === 1 ? names[0] : given;
    return fetcher({ ...params, operationName }, { ...options, documentAST: document });
  };
}

/** @returns null for invalid GraphQL, for which the router returns the error */
function parseOrNull(query: string): DocumentNode | null {
  try {
    return parse(query);
  } catch {
    return null;
  }
}
