import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from '@graphiql/toolkit';
import {
  type ExecutionResult,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import type { SessionStore } from './session.js';
import { sessionFields } from './session-fields.js';
import { subscribe } from './subscription.js';

/**
 * Sends operations with the token of the session, unless their headers have an Authorization of their own.
 *
 * After a change of tab, GraphiQL updates the operation to run and its parsed text with a delay: a run in
 * between would execute the operation of the previous tab. So both are read again here.
 */
export function createFetcher(
  url: string,
  subscriptionUrl: string,
  sessions: SessionStore,
): Fetcher {
  // Without incremental delivery, which the router does not have, it returns a promise of the result.
  const overHttp = createGraphiQLFetcher({ url, enableIncrementalDelivery: false });
  return (given, options) => {
    const operations = operationsOf(given.query);
    const [first] = operations;
    const operationName = operations.length === 1 ? first?.name?.value : given.operationName;
    const params = { ...given, operationName };
    const operation = operations.find(({ name }) => name?.value === operationName);
    const session = needsToken(operation, options?.headers) ? sessions.current() : undefined;
    const authorization = session && { authorization: `Bearer ${session.token}` };
    const headers = { ...options?.headers, ...authorization };
    const learn = (result: ExecutionResult) => sessions.learn(result, session);

    if (operation?.operation === 'subscription') {
      return subscribe(subscriptionUrl, params, headers, learn);
    }
    return sendOver(overHttp, params, headers).then((result) => {
      learn(result);
      return result;
    });
  };
}

/** @returns the result; for a request that failed, one with the error, which GraphiQL would show with a stack trace */
async function sendOver(
  fetcher: Fetcher,
  params: FetcherParams,
  headers: Record<string, unknown>,
): Promise<ExecutionResult> {
  try {
    return (await fetcher(params, { headers })) as ExecutionResult;
  } catch (error) {
    return { errors: [new GraphQLError((error as Error).message)] };
  }
}

function needsToken(
  operation: OperationDefinitionNode | undefined,
  headers: Readonly<Record<string, unknown>> = {},
): boolean {
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) return false;
  // The schema is public, and must load with a refused token too.
  if (operation?.name?.value === 'IntrospectionQuery') return false;
  const fields = operation?.selectionSet.selections ?? [];
  return !fields.every((field) => {
    return field.kind === Kind.FIELD && sessionFields.includes(field.name.value);
  });
}

/** @returns none for invalid GraphQL, for which the router returns the error */
function operationsOf(query: string): readonly OperationDefinitionNode[] {
  try {
    return parse(query).definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION);
  } catch {
    return [];
  }
}
