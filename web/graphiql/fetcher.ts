import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { type DocumentNode, Kind, parse } from 'graphql';

/**
 * After a change of tab, GraphiQL updates the operation to run and its parsed text with a delay: a run in
 * between would execute the operation of the previous tab. So both are read again here.
 */
export function createFetcher(url: string, subscriptionUrl: string): Fetcher {
  // GraphiQL sends the headers of the editor as connectionParams, from which the router reads the token.
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
