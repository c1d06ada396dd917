import { GraphQLError } from 'graphql';
import type { RouterContext } from '../context.js';
import type { JsonObject } from '../json-objects.js';
import type { SubgraphError, SubgraphService } from '../subgraphs/subgraph-service.js';
import type { ResponsePath, Variables } from './data/json.js';

export type Services = ReadonlyMap<string, SubgraphService>;
export type OperationKind = 'query' | 'mutation' | 'subscription';

/** The execution of one operation: what it was given, and the data and errors that it has so far. */
export interface Run {
  /** responses, merged; its keys are those of the planned operation */
  data: JsonObject;
  readonly errors: GraphQLError[];
  /** text of the only response, if it is the response to the client */
  text: string | undefined;
  readonly variables: Variables;
  readonly services: Services;
  readonly operationKind: OperationKind;
  readonly context: RouterContext;
}

/** A part of a compiled plan; it returns a promise only if it has to wait. */
export type Step = (run: Run) => void | Promise<void>;

/** Translates the keys of a path in a response of a subgraph to those of the client. */
export type ClientPath = (path: readonly (string | number)[]) => ResponsePath;

const defaultCode = 'DOWNSTREAM_SERVICE_ERROR';

/** An error of a subgraph, at a path of the client's response. */
export function placedError(
  service: string,
  error: SubgraphError,
  path: ResponsePath | undefined,
): GraphQLError {
  const message = error.message || `The ${service} service reported an error without a message.`;
  const { code = defaultCode, ...extensions } = error.extensions ?? {};
  return new GraphQLError(message, {
    ...(path && { path }),
    originalError: error as Error,
    extensions: { ...extensions, code, serviceName: service },
  });
}

export const errorOf = (thrown: unknown): GraphQLError =>
  thrown instanceof GraphQLError
    ? thrown
    : new GraphQLError((thrown as Error).message, { originalError: thrown as Error });
