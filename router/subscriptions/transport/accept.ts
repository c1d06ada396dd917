import { type ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import { getVariableValues, Kind, OperationTypeNode, type SelectionSetNode } from 'graphql';
import { requestTrace } from '../../../subgraphs/shared/observability/request-context.js';
import type { RouterContext } from '../../context.js';
import { badOperation } from '../../errors.js';
import { findFragment, parseOrNull } from '../../graphql-ast.js';
import type { Result } from '../feed/client-stream.js';
import type { AcceptedSubscription } from '../feed/hub.js';

/** An operation as clients send it, over any transport. */
export interface OperationRequest {
  readonly query?: string | undefined;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
  readonly extensions?: Record<string, unknown> | null | undefined;
}

export type Outcome =
  | { readonly kind: 'subscription'; readonly accepted: AcceptedSubscription }
  | {
      readonly kind: 'response';
      readonly result: Result;
      readonly status: number;
      readonly headers: HeaderMap;
    };

/** The context of a request over a transport that supports streams. */
interface StreamContext extends RouterContext {
  readonly onSubscription?: (accepted: AcceptedSubscription) => void;
}

/** Whether a request came over a transport that supports streams. */
export const canStream = (context: StreamContext): boolean => context.onSubscription !== undefined;

/**
 * Lets subscriptions pass through all steps of Apollo Server before execution, so that the same limits
 * apply as to queries, and hands them to `onSubscription` instead of executing them.
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
        contextValue.onSubscription?.({
          document,
          operationName: request.operationName ?? undefined,
          variables: request.variables ?? {},
          cost: contextValue.cost ?? 0,
        });
        const http = { status: 200, headers: new HeaderMap() };
        return { http, body: { kind: 'single', singleResult: { data: null } } };
      },
    };
  },
};

/** Executes a query or mutation; validates a subscription, which the caller then opens. */
export async function acceptOperation(
  apollo: ApolloServer<RouterContext>,
  { query, operationName, variables, extensions }: OperationRequest,
  context: RouterContext,
): Promise<Outcome> {
  let accepted: AcceptedSubscription | undefined;
  const onSubscription = (each: AcceptedSubscription) => {
    accepted = each;
  };
  const contextValue: StreamContext = { ...context, onSubscription };
  if (hasConditionalRootField(query)) return conditionalRootFieldRefused();
  const request = {
    ...(query !== undefined && { query }),
    ...(operationName != null && { operationName }),
    ...(variables != null && { variables }),
    ...(extensions != null && { extensions }),
  };
  const { body, http } = await apollo.executeOperation(request, { contextValue });
  if (accepted) return { kind: 'subscription', accepted };
  if (body.kind !== 'single') throw new Error('unexpected incremental response');
  const result = body.singleResult as Result;
  return { kind: 'response', result, status: http.status ?? 200, headers: http.headers };
}

/**
 * Whether the root field of a subscription has `@skip` or `@include`, itself or through a fragment. Newer
 * editions of the GraphQL specification forbid it, and graphql-js's validation throws if its condition is a
 * variable.
 */
export function hasConditionalRootField(query: string | undefined): boolean {
  if (!query?.includes('subscription') || !/\b(skip|include)\b/.test(query)) return false;
  const document = parseOrNull(query);
  if (!document) return false;
  const seen = new Set<string>();
  const isConditional = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((each) => {
      if (each.directives?.some(({ name }) => /^(skip|include)$/.test(name.value))) return true;
      if (each.kind === Kind.INLINE_FRAGMENT) return isConditional(each.selectionSet);
      if (each.kind !== Kind.FRAGMENT_SPREAD || seen.has(each.name.value)) return false;
      seen.add(each.name.value);
      return isConditional(findFragment(document, each.name.value)?.selectionSet);
    }) ?? false;
  return document.definitions.some(
    (each) =>
      each.kind === Kind.OPERATION_DEFINITION &&
      each.operation === OperationTypeNode.SUBSCRIPTION &&
      isConditional(each.selectionSet),
  );
}

export function conditionalRootFieldRefused(): Extract<Outcome, { kind: 'response' }> {
  const error = badOperation(
    'GRAPHQL_VALIDATION_FAILED',
    'The root field of a subscription must not have @skip or @include.',
  );
  const { code } = error.extensions;
  const extensions = { code, requestId: requestTrace.getStore()?.requestId };
  const result = { errors: [{ message: error.message, extensions }] };
  return { kind: 'response', result, status: 400, headers: new HeaderMap() };
}
