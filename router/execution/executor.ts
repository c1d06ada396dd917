import type { GraphQLDataSource } from '@apollo/gateway';
import type {
  DocumentNode,
  ExecutionResult,
  GraphQLError,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import { getVariableValues } from 'graphql';
import type { RouterContext } from '../context.js';
import type { Variables } from './compile-fetch.js';
import {
  type CompiledOperation,
  type CompileInputs,
  compileOperation,
} from './compile-operation.js';
import { operationOf } from './operation-document.js';
import { dataOfText } from './passed-text.js';
import type { FallbackReason } from './query-plan.js';
import type { OperationKind, Run, Services } from './run.js';

export type { GraphQLDataSource, GraphQLSchema };

/** An operation to execute, validated and with the variables as the client sent them. */
export interface ExecutionRequest {
  /** the same for the same text and operation name */
  readonly key: string;
  readonly document: DocumentNode;
  readonly definition: OperationDefinitionNode;
  readonly variables: Variables;
  readonly context: RouterContext;
}

export interface CompiledCache {
  get(key: string): CompiledOperation | undefined;
  set(key: string, compiled: CompiledOperation): void;
}

export interface ExecutorOptions extends CompileInputs {
  readonly services: Services;
  readonly cache: CompiledCache;
}

export type Outcome = ExecutionResult | { readonly fallback: FallbackReason };

/** Executes the queries and mutations of one supergraph; `fallback` says why Apollo's executor has to. */
export function createExecutor(options: ExecutorOptions) {
  const { schema, services, cache } = options;
  return (request: ExecutionRequest): Outcome | Promise<Outcome> => {
    const { document, definition, variables, context } = request;
    const { errors } = getVariableValues(schema, definition.variableDefinitions ?? [], variables);
    if (errors) return { errors };
    let compiled = cache.get(request.key);
    if (!compiled) {
      compiled = compileOperation(options, operationOf(document, definition));
      cache.set(request.key, compiled);
    }
    if (compiled.kind === 'fallback') return { fallback: compiled.reason };
    if (context.plansOnly) return { data: null };
    const { step, project } = compiled;
    const operationKind = definition.operation as OperationKind;
    const run = newRun({ variables, services, operationKind, context });
    const waiting = step(run);
    const finish = () => resultOf(run, project);
    return waiting ? waiting.then(finish) : finish();
  };
}

export const newRun = (
  given: Pick<Run, 'variables' | 'services' | 'operationKind' | 'context'>,
): Run => ({ ...given, data: {}, errors: [], text: undefined });

export function resultOf(
  run: Run,
  project: (run: Run) => Record<string, unknown> | null,
): ExecutionResult {
  if (run.text !== undefined) return { data: dataOfText(run.text) };
  const data = project(run);
  const errors = run.errors as readonly GraphQLError[];
  return errors.length > 0 ? { errors, data } : { data };
}
