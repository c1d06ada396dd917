import type {
  DocumentNode,
  ExecutionResult,
  GraphQLError,
  GraphQLSchema,
  OperationDefinitionNode,
} from 'graphql';
import type { RouterContext } from '../context.js';
import { coerceVariables } from '../graphql-ast.js';
import {
  type CompiledOperation,
  type CompileInputs,
  compileOperation,
  defaultsOf,
} from './compile-operation.js';
import type { Variables } from './data/json.js';
import {
  applyConditions,
  conditionVariables,
  type ReadBoolean,
} from './operation/apply-conditions.js';
import { type Operation, operationOf } from './operation/operation-document.js';
import { dataOfText } from './passed-text.js';
import type { FallbackReason } from './query-plan.js';
import type { OperationKind, Run, Services } from './run.js';

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
    const { errors } = coerceVariables(schema, definition, variables);
    if (errors) return { errors };
    const { operation, combinationOf, booleanOf } = preparedOf(schema, document, definition);
    const key = request.key + combinationOf(variables);
    let compiled = cache.get(key);
    if (!compiled) {
      compiled = compileOperation(options, applyConditions(operation, booleanOf(variables)));
      cache.set(key, compiled);
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

interface PreparedOperation {
  readonly operation: Operation;
  /** the values of the variables in `@skip` and `@include`, for each of which the operation is compiled */
  combinationOf(variables: Variables): string;
  booleanOf(variables: Variables): ReadBoolean;
}

const prepared = new WeakMap<OperationDefinitionNode, PreparedOperation>();

/** An operation with what its `@skip` and `@include` depend on; found once for a definition. */
export function preparedOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  definition: OperationDefinitionNode,
): PreparedOperation {
  const known = prepared.get(definition);
  if (known) return known;
  const operation = operationOf(document, definition);
  const names = conditionVariables(operation);
  const defaults = names.length > 0 ? defaultsOf(schema, operation) : {};
  const booleanOf = (variables: Variables) => (name: string) =>
    (Object.hasOwn(variables, name) ? variables[name] : defaults[name]) === true;
  const combinationOf = (variables: Variables) =>
    names.length === 0
      ? ''
      : ` ${names.map((name) => Number(booleanOf(variables)(name))).join('')}`;
  const one = { operation, combinationOf, booleanOf };
  prepared.set(definition, one);
  return one;
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
