import { type ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import { type DocumentNode, getOperationAST, getVariableValues, Kind, parse } from 'graphql';
import { badOperation } from '../query-limits.js';
import type { RouterContext } from '../subgraph-data-source.js';
import type { Result } from './client-stream.js';
import type { Accepted } from './hub.js';

/** An operation as clients send it, over whatever transport. */
export interface OperationRequest {
  readonly query?: string | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly extensions?: Record<string, unknown> | null | undefined;
}

export type Outcome =
  | { readonly kind: 'subscription'; readonly accepted: Accepted }
  | {
      readonly kind: 'answer';
      readonly result: Result;
      readonly status: number;
      readonly headers: HeaderMap;
    };

/** The context of a request over a transport that can answer with a stream. */
interface StreamContext extends RouterContext {
  readonly takeSubscription?: (accepted: Accepted) => void;
}

/** Whether a request came over a transport that can answer with a stream. */
export const takesSubscriptions = (context: StreamContext): boolean =>
  context.takeSubscription !== undefined;

/**
 * Puts subscriptions through all that Apollo Server does with an operation before it is executed, so
 * that the same limits hold for them, and hands them over instead of executing them.
 */
export const subscriptionPlugin: ApolloServerPlugin<StreamContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, operation, request }) {
        if (operation?.operation !== 'subscription') return;
        const definitions = operation.variableDefinitions ?? [];
        const { errors } = getVariableValues(schema, definitions, request.variables ?? {});
        if (errors?.[0]) throw badOperation('BAD_USER_INPUT', errors[0].message);
      },
      async responseForOperation({ operation, document, request, contextValue }) {
        if (operation.operation !== 'subscription') return null;
        contextValue.takeSubscription?.({
          document,
          operationName: request.operationName ?? undefined,
          variables: request.variables ?? {},
        });
        const http = { status: 200, headers: new HeaderMap() };
        return { http, body: { kind: 'single', singleResult: { data: null } } };
      },
    };
  },
};

/** Runs a query or mutation; checks a subscription, which is then to be opened. */
export async function acceptOperation(
  apollo: ApolloServer<RouterContext>,
  { query, operationName, variables, extensions }: OperationRequest,
  given: RouterContext,
): Promise<Outcome> {
  let accepted: Accepted | undefined;
  const takeSubscription = (each: Accepted) => {
    accepted = each;
  };
  const contextValue: StreamContext = { ...given, takeSubscription };
  if (query !== undefined && hasConditionAtRoot(query, operationName)) {
    return refusedForCondition();
  }
  const request = {
    ...(query !== undefined && { query }),
    ...(operationName != null && { operationName }),
    ...(variables != null && { variables }),
    ...(extensions != null && { extensions }),
  };
  const { body, http } = await apollo.executeOperation(request, { contextValue });
  if (accepted) return { kind: 'subscription', accepted };
  if (body.kind !== 'single') throw new Error('an answer in parts was not asked for');
  const result = body.singleResult as Result;
  return { kind: 'answer', result, status: http.status ?? 200, headers: http.headers };
}

/** GraphQL forbids it in newer editions, and graphql-js's validation throws where it has a variable. */
function hasConditionAtRoot(query: string, operationName: string | null | undefined): boolean {
  const document = parsed(query);
  if (!document) return false;
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== 'subscription') return false;
  const roots = [operation, ...document.definitions].filter(
    (each) =>
      each === operation ||
      (each.kind === Kind.FRAGMENT_DEFINITION && each.typeCondition.name.value === 'Subscription'),
  );
  return roots.some(
    (each) =>
      'selectionSet' in each &&
      each.selectionSet.selections.some(({ directives }) =>
        directives?.some(({ name }) => name.value === 'skip' || name.value === 'include'),
      ),
  );
}

const documentTokensMax = 10_000;

/** A document, or null for what is none. */
export function parsed(query: string): DocumentNode | null {
  try {
    return parse(query, { noLocation: true, maxTokens: documentTokensMax });
  } catch {
    return null; // Apollo Server says what is wrong with it
  }
}

function refusedForCondition(): Outcome {
  const error = badOperation(
    'GRAPHQL_VALIDATION_FAILED',
    'The field of a subscription cannot be skipped or included by a condition.',
  );
  const { http: _, ...extensions } = error.extensions;
  const result = { errors: [{ message: error.message, extensions }] };
  return { kind: 'answer', result, status: 400, headers: new HeaderMap() };
}
