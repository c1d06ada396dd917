import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  getOperationAST,
  type InlineFragmentNode,
  type OperationDefinitionNode,
  print,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { RouterContext } from '../../context.js';
import { badOperation } from '../../errors.js';
import { defaultsOf } from '../../execution/compile-operation.js';
import { compilePlan } from '../../execution/compile-plan.js';
import { newRun, preparedOf, resultOf } from '../../execution/executor.js';
import { compileReceiver } from '../../execution/fetch-step.js';
import { applyConditions } from '../../execution/operation/apply-conditions.js';
import { findEmptyObjects } from '../../execution/operation/empty-objects.js';
import { documentOf, type Operation } from '../../execution/operation/operation-document.js';
import { hidesTypename, rewriteAliases } from '../../execution/operation/rewrite-aliases.js';
import { separateConflicts } from '../../execution/operation/separate-conflicts.js';
import { type Planning, planningOf } from '../../execution/planning.js';
import { projectionsOf } from '../../execution/projection/projections.js';
import { type FetchNode, findUnsupported, type PlanNode } from '../../execution/query-plan.js';
import type { Services } from '../../execution/run.js';
import { responseKey, topLevelFields } from '../../graphql-ast.js';
import { copyOf } from '../../json-objects.js';
import { type SupergraphFacts, selectsPublicOnly } from '../../supergraph/supergraph-facts.js';
import { type EntityKeys, readEntityKeys } from '../../supergraph/supergraph-sdl.js';
import { withEventKeys } from './event-keys.js';
import { namedItems } from './named-items.js';

const plansMax = 1000;

export type Variables = Readonly<Record<string, unknown>>;

/** How to subscribe to one operation, and how to execute the rest of its plan for each event. */
export interface SubscriptionPlan {
  /** the normalized operation: without its name, comments, unused fragments, `@skip` and `@include` */
  readonly text: string;
  /** the fetch to the subgraph that publishes the events */
  readonly primary: FetchNode;
  /** whether only public fields are selected */
  readonly isPublic: boolean;
  /** whether the first events of each subscription are the current state */
  readonly beginsWithSnapshot: boolean;
  /** The number of items that the arguments name, at least one. */
  itemsOf(variables: Variables): number;
  /** The entity of an event, as text; null if the event has no keys. */
  keyOf(data: unknown): string | null;
  /** The version of that entity; null if the events have none. */
  versionOf(data: unknown): number | null;
  /** whether clients see the version */
  readonly showsVersion: boolean;
  /** Fetches the fields of other subgraphs for one event, and shapes the result by the operation. */
  execute(
    event: ExecutionResult,
    variables: Variables,
    context: RouterContext,
  ): Promise<ExecutionResult>;
}

export interface Planner {
  readonly schema: GraphQLSchema;
  /** @throws GraphQLError if the operation cannot be planned */
  plan(
    document: DocumentNode,
    operationName: string | undefined,
    variables: Variables,
  ): SubscriptionPlan;
}

interface PlannerOptions {
  readonly supergraphSdl: string;
  /** the API schema */
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly facts: SupergraphFacts;
}

/** Plans subscriptions over a supergraph. Apollo Gateway can plan them, but cannot execute them. */
export function createPlanner(options: PlannerOptions): Planner {
  const planning = planningOf(options.supergraphSdl);
  const keys = readEntityKeys(options.supergraphSdl);
  const plans = new LRUCache<string, SubscriptionPlan>({ max: plansMax });
  return {
    schema: options.schema,
    plan(document, operationName, variables) {
      const definition = getOperationAST(document, operationName) as OperationDefinitionNode;
      const { operation: whole, booleanOf } = preparedOf(options.schema, document, definition);
      const operation = nameless(applyConditions(whole, booleanOf(variables)));
      const text = print(documentOf(operation));
      const cached = plans.get(text);
      if (cached) return cached;
      const plan = createPlan({ ...options, planning, keys }, operation, text);
      plans.set(text, plan);
      return plan;
    },
  };
}

interface PlannerInputs extends PlannerOptions {
  readonly planning: Planning;
  readonly keys: EntityKeys;
}

function nameless({ definition: { name: _, ...definition }, fragments }: Operation): Operation {
  return { definition, fragments };
}

function createPlan(inputs: PlannerInputs, operation: Operation, text: string): SubscriptionPlan {
  const { schema, facts, planning, services } = inputs;
  const planned = planSubscription(inputs, operation);
  const { primary, rest, keyOf, versionOf, showsVersion, clientKeys, sourceOf } = planned;
  if (findUnsupported(rest)) throw notExecutable();
  const document = documentOf(operation);
  const [root] = topLevelFields(document, operation.definition);
  const { supergraphSchema } = planning;
  const isPublic = (fragment: InlineFragmentNode) =>
    selectsPublicOnly(supergraphSchema, fragment, facts);
  const context = { supergraphSchema, clientKeys, passesText: false, isPublic };
  const defaults = defaultsOf(schema, operation);
  const receive = compileReceiver(context, primary);
  const complete = rest && compilePlan(context, rest, defaults);
  const isModified = complete !== undefined || primary.outputRewrites !== undefined;
  const projectionFor = projectionsOf({ schema, operation, defaults, sourceOf });
  return {
    text,
    primary,
    isPublic: selectsPublicOnly(schema, document, facts),
    beginsWithSnapshot: facts.snapshotSubscriptions.has(root?.name.value ?? ''),
    keyOf,
    versionOf,
    showsVersion,
    itemsOf: (variables) =>
      root
        ? namedItems(schema, root, operation.definition.variableDefinitions ?? [], variables)
        : 1,
    async execute(event, variables, routerContext) {
      const run = newRun({
        variables,
        services,
        operationKind: 'subscription',
        context: routerContext,
      });
      // An event is executed again for clients that join later, so it is not modified.
      receive(run, (isModified ? copyOf(event) : event) as never);
      await complete?.(run);
      return resultOf(run, ({ data, errors }) => projectionFor(variables)(data, errors));
    },
  };
}

const notExecutable = () =>
  badOperation('GRAPHQL_VALIDATION_FAILED', 'This subscription cannot be executed.');

/**
 * The plan of the client's own text if an event has all that it selects; otherwise that of a copy with generated
 * aliases. Both select the keys of the entity, too.
 */
function planSubscription(inputs: PlannerInputs, operation: Operation) {
  const { planning } = inputs;
  const { supergraphSchema: schema, fieldNames, requires } = planning;
  const emptyObjects = findEmptyObjects(schema, operation);
  if (emptyObjects.size === 0 && !hidesTypename(operation)) {
    const plan = planWithKeys(inputs, operation);
    if (!plan.rest) {
      return { ...plan, clientKeys: new Map<string, string>(), sourceOf: responseKey };
    }
  }
  const rewritten = rewriteAliases(operation, fieldNames, emptyObjects);
  const { operation: copy, clientKeys } = rewritten;
  separateConflicts({ schema, requires }, copy); // refuses them: several plans would be several upstreams
  const sourceOf: typeof responseKey = (node) => rewritten.keyOf.get(node) as string;
  return { ...planWithKeys(inputs, copy), clientKeys, sourceOf };
}

function planWithKeys({ planning, schema, keys, facts }: PlannerInputs, operation: Operation) {
  const own = documentOf(operation);
  const { serviceName } = buildPlan(planning, own).primary;
  const [root] = topLevelFields(own, operation.definition);
  const versionField = facts.versionFields.get(root?.name.value ?? '');
  const { document, ...events } = withEventKeys(
    schema,
    own,
    keys.get(serviceName) ?? new Map(),
    versionField,
  );
  return { ...buildPlan(planning, document), ...events };
}

function buildPlan(planning: Planning, document: DocumentNode) {
  const node = planning.plan(document);
  if (node?.kind !== 'Subscription') throw new Error('query plan is not a subscription');
  return node as { readonly primary: FetchNode; readonly rest?: PlanNode };
}
