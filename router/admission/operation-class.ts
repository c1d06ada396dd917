import { type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import type { DocumentNode, OperationDefinitionNode } from 'graphql';
import { DomainError } from '../../subgraphs/shared/errors.js';
import type { OperationClass, RouterContext } from '../context.js';
import { topLevelFields } from '../graphql-ast.js';

/** Mutations that finish what holds stock already. */
const payments = ['payOrder'];

/** An operation as clients send it; not checked yet. */
interface Sent {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly extensions?: unknown;
}

/** The text by which an operation is known again: of a persisted query, its hash. */
export function textOf(body: unknown): string {
  const { query, operationName, extensions } = (body ?? {}) as Sent;
  const name = typeof operationName === 'string' ? operationName : '';
  if (typeof query === 'string') return name + query;
  const { persistedQuery } = (extensions ?? {}) as { persistedQuery?: { sha256Hash?: unknown } };
  const hash = persistedQuery?.sha256Hash;
  return typeof hash === 'string' ? name + hash : '';
}

export function classOf(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): OperationClass {
  if (operation.operation !== 'mutation') return 'query';
  const fields = topLevelFields(document, operation);
  return fields.every(({ name }) => payments.includes(name.value)) ? 'payment' : 'mutation';
}

/**
 * Classes each operation when it is parsed, and refuses it if too many of its class run. Apollo Server calls the
 * plugins for a parsed operation at the same time, so this one calls those that count what is executed.
 *
 * @param countingPlugins with `didResolveOperation` only
 */
export function operationClassPlugin(
  countingPlugins: readonly ApolloServerPlugin<RouterContext>[],
): ApolloServerPlugin<RouterContext> {
  return {
    async requestDidStart(request) {
      const counting = await Promise.all(
        countingPlugins.map((plugin) => plugin.requestDidStart?.(request)),
      );
      return {
        async didResolveOperation(resolved) {
          const { document, operation, contextValue } = resolved;
          if (!operation) return;
          try {
            contextValue.admitted?.setClass(classOf(document, operation));
          } catch (error) {
            throw withUnavailableStatus(error);
          }
          await Promise.all(counting.map((each) => each?.didResolveOperation?.(resolved)));
        },
      };
    },
  };
}

/** Apollo Server takes the status from the error. */
function withUnavailableStatus(error: unknown): unknown {
  if (!(error instanceof DomainError)) return error;
  const headers = new HeaderMap([['retry-after', '1']]);
  return new DomainError('TRY_AGAIN', error.message, { http: { status: 503, headers } });
}
