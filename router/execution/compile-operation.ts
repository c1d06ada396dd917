import {
  type FieldNode,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  isInputType,
  typeFromAST,
  valueFromAST,
} from 'graphql';
import { responseKey, topLevelFields } from '../graphql-ast.js';
import { fetchedKeys } from './compile-fetch.js';
import { compilePlan } from './compile-plan.js';
import type { Variables } from './data/json.js';
import { mergeSeparate } from './data/merge-separate.js';
import type { PlanContext } from './fetch-step.js';
import { findEmptyObjects } from './operation/empty-objects.js';
import {
  documentOf,
  type Operation,
  selectsIntrospection,
} from './operation/operation-document.js';
import { hidesTypename, rewriteAliases } from './operation/rewrite-aliases.js';
import { separateConflicts } from './operation/separate-conflicts.js';
import { isSameResponse } from './passed-text.js';
import type { Planning } from './planning.js';
import { projectionsOf } from './projection/projections.js';
import {
  type FallbackReason,
  findUnsupported,
  isOneFetch,
  type PlanNode,
  rootFetches,
} from './query-plan.js';
import type { Run, Step } from './run.js';

export interface CompileInputs {
  readonly planning: Planning;
  /** the API schema */
  readonly schema: GraphQLSchema;
  /** the subgraphs that are known to write `errors` before `data` */
  readonly errorsFirst: ReadonlySet<string>;
  readonly isPublic: PlanContext['isPublic'];
}

/** An operation that is executed many times. */
export type CompiledOperation =
  | { readonly kind: 'fallback'; readonly reason: FallbackReason; readonly sizeBytes: number }
  | {
      readonly kind: 'compiled';
      /** fetches all data */
      readonly step: Step;
      /** @returns what the client receives */
      readonly project: (run: Run) => Record<string, unknown> | null;
      /** estimate of the memory that it takes */
      readonly sizeBytes: number;
    };

/** Plans of an operation, and how their data relates to what the client selected. */
interface PlannedOperation {
  readonly nodes: readonly (PlanNode | undefined)[];
  readonly clientKeys: ReadonlyMap<string, string>;
  readonly sourceOf: (node: FieldNode) => string;
}

/**
 * Plans and compiles a query or mutation.
 *
 * @param operation without `@skip` and `@include`
 * @throws GraphQLError if it cannot be planned
 */
export function compileOperation(inputs: CompileInputs, operation: Operation): CompiledOperation {
  const { schema, planning } = inputs;
  if (selectsIntrospection(operation)) return fallback('introspection');
  const planned = planOperation(planning, operation);
  for (const node of planned.nodes) {
    const reason = findUnsupported(node);
    if (reason) return fallback(reason);
  }
  const { nodes, clientKeys, sourceOf } = planned;
  const defaults = defaultsOf(schema, operation);
  const { supergraphSchema } = planning;
  const passesText = nodes.length === 1 && canPassText(inputs, operation, nodes[0]);
  const context = { supergraphSchema, clientKeys, passesText, isPublic: inputs.isPublic };
  const steps = nodes.map((node) =>
    node ? compilePlan(context, node, defaults) : () => undefined,
  );
  const projectionFor = projectionsOf({ schema, operation, defaults, sourceOf });
  return {
    kind: 'compiled',
    step: steps.length === 1 ? (steps[0] as Step) : separately(planning, steps),
    project: (run) => projectionFor(run.variables)(run.data, run.errors),
    sizeBytes: sizeOf(nodes),
  };
}

const fallback = (reason: FallbackReason) =>
  ({ kind: 'fallback', reason, sizeBytes: minimumBytes }) as const;

/**
 * The plan of the client's own text if it is one fetch: nothing is added to it then. Otherwise that of a copy with
 * generated aliases.
 */
function planOperation(planning: Planning, operation: Operation): PlannedOperation {
  const emptyObjects = findEmptyObjects(planning.supergraphSchema, operation);
  if (emptyObjects.size === 0 && !hidesTypename(operation)) {
    const node = attemptPlan(planning, operation);
    if (node !== null && (isOneFetch(node) || findUnsupported(node))) {
      return { nodes: [node], clientKeys: new Map(), sourceOf: responseKey };
    }
  }
  const rewritten = rewriteAliases(operation, planning.fieldNames, emptyObjects);
  const { supergraphSchema: schema, requires } = planning;
  const parts = separateConflicts({ schema, requires }, rewritten.operation);
  return {
    nodes: parts.map((part) => planOf(planning, part)),
    clientKeys: rewritten.clientKeys,
    sourceOf: (node) => rewritten.keyOf.get(node) as string,
  };
}

function planOf(planning: Planning, operation: Operation): PlanNode | undefined {
  if (operation.definition.selectionSet.selections.length === 0) return undefined;
  const node = planning.plan(documentOf(operation));
  if (node?.kind === 'Subscription') throw new Error('a subscription is not executed as a query');
  if (!findUnsupported(node)) assertFetchesRootFields(operation, node);
  return node;
}

/**
 * The planner leaves a field out that no subgraph can give for an interface object; without this it would be null
 * silently.
 */
function assertFetchesRootFields(operation: Operation, node: PlanNode | undefined): void {
  const fetched = new Set(rootFetches(node).flatMap((fetch) => fetchedKeys(fetch).root));
  for (const field of topLevelFields(documentOf(operation), operation.definition)) {
    const key = responseKey(field);
    if (field.name.value === '__typename' || fetched.has(key)) continue;
    throw new Error(`the plan fetches no field for ${key}`);
  }
}

/** @returns null if it cannot be planned: perhaps only because of its aliases */
function attemptPlan(planning: Planning, operation: Operation): PlanNode | undefined | null {
  try {
    return planOf(planning, operation);
  } catch {
    return null;
  }
}

function canPassText(
  inputs: CompileInputs,
  operation: Operation,
  node: PlanNode | undefined,
): boolean {
  if (node?.kind !== 'Fetch' || !inputs.errorsFirst.has(node.serviceName)) return false;
  return isSameResponse(inputs.schema, inputs.planning.supergraphSchema, operation, node);
}

/** Executes several plans at once, each with data of its own, and merges their data. */
function separately({ fieldNames }: Planning, steps: readonly Step[]): Step {
  return async (run) => {
    const runs = steps.map((_, n): Run => (n === 0 ? run : { ...run, data: {} }));
    await Promise.all(steps.map((step, n) => step(runs[n] as Run)));
    for (const other of runs.slice(1)) {
      mergeSeparate(run.data, other.data, fieldNames.withArguments, run.errors as GraphQLError[]);
    }
  };
}

export function defaultsOf(schema: GraphQLSchema, { definition }: Operation): Variables {
  const defaults: Record<string, unknown> = {};
  for (const { variable, type, defaultValue } of definition.variableDefinitions ?? []) {
    const inputType = typeFromAST(schema, type as never) as GraphQLInputType | undefined;
    if (!defaultValue || !isInputType(inputType)) continue;
    defaults[variable.name.value] = valueFromAST(defaultValue, inputType);
  }
  return defaults;
}

const minimumBytes = 1000;
// Closures and maps of a compiled plan, beside the plan's own text.
const compiledShare = 3;

const sizeOf = (nodes: readonly unknown[]) =>
  minimumBytes + compiledShare * Buffer.byteLength(JSON.stringify(nodes));
