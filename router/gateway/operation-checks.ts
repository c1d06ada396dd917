import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLSchema,
  isNonNullType,
  type OperationDefinitionNode,
  TypeInfo,
  ValidationContext,
} from 'graphql';
import type { RouterContext } from '../context.js';
import { badOperation } from '../errors.js';
import { canStream } from '../subscriptions/transport/accept.js';

const noStreamMessage =
  'A subscription needs graphql-ws, or Accept: text/event-stream or multipart/mixed;subscriptionSpec=1.0.';

/**
 * Refuses operations that cannot be executed: an unknown operation name, a subscription over a transport
 * without streams, and null where it is not allowed, which GraphQL finds only during execution.
 */
export const operationChecks: ApolloServerPlugin<RouterContext> = {
  async requestDidStart() {
    return {
      async didResolveOperation({ schema, document, operation, request, contextValue }) {
        if (!operation) throw unresolvedOperation(request.operationName);
        if (operation.operation === 'subscription' && !canStream(contextValue)) {
          throw badOperation('BAD_REQUEST', noStreamMessage);
        }
        const name = findNullForNonNull(schema, document, operation, request.variables ?? {});
        if (name) throw badOperation('BAD_USER_INPUT', `The variable $${name} must not be null.`);
      },
    };
  },
};

function unresolvedOperation(name: string | undefined | null): GraphQLError {
  const message =
    typeof name === 'string'
      ? `Unknown operation named "${name}".`
      : 'There are several operations: say which one in `operationName`.';
  return badOperation('OPERATION_RESOLUTION_FAILURE', message);
}

/** GraphQL allows a variable with a default for a non-null argument, and an explicit null overrides the default. */
function findNullForNonNull(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): string | null {
  const nulls = Object.keys(variables).filter((name) => variables[name] === null);
  if (nulls.length === 0) return null;
  const context = new ValidationContext(schema, document, new TypeInfo(schema), () => {});
  const usage = context
    .getRecursiveVariableUsages(operation)
    .find(({ node, type }) => nulls.includes(node.name.value) && isNonNullType(type));
  return usage?.node.name.value ?? null;
}
