import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { buildOperationContext, executeQueryPlan, type GraphQLDataSource } from '@apollo/gateway';
import { type FetchNode, type PlanNode, type QueryPlan, QueryPlanner } from '@apollo/query-planner';
import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  print,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Logger } from '../../../subgraphs/shared/observability/logger.js';
import type { RouterContext } from '../../context.js';
import { findFragment, topLevelFields } from '../../graphql-ast.js';
import { type SubscriptionFacts, selectsPublicOnly } from '../../supergraph/subscription-facts.js';
import { type EntityKeys, readEntityKeys } from '../../supergraph/supergraph-sdl.js';
import { withEventKeys } from './event-keys.js';

const plansMax = 1000;

export type Services = ReadonlyMap<string, GraphQLDataSource<RouterContext>>;
export type Variables = Readonly<Record<string, unknown>>;

/** How to subscribe to one operation, and how to execute the rest of its plan for each event. */
export interface SubscriptionPlan {
  /** the normalized operation: without its name, comments and unused fragments */
  readonly text: string;
  /** the fetch to the subgraph that publishes the events */
  readonly primary: FetchNode;
  /** whether only public fields are selected */
  readonly isPublic: boolean;
  /** whether the first events of each subscription are the current state */
  readonly beginsWithSnapshot: boolean;
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
  plan(document: DocumentNode, operationName: string | undefined): SubscriptionPlan;
}

interface PlannerOptions {
  readonly supergraphSdl: string;
  /** the API schema */
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly facts: SubscriptionFacts;
  readonly logger: Logger;
}

/** Plans subscriptions over a supergraph. Apollo Gateway can plan them, but cannot execute them. */
export function createPlanner(options: PlannerOptions): Planner {
  const supergraph = Supergraph.build(options.supergraphSdl, { validateSupergraph: false });
  const inputs: PlannerInputs = {
    ...options,
    apiSchema: supergraph.apiSchema(),
    supergraphSchema: supergraph.schema.toGraphQLJSSchema(),
    planner: new QueryPlanner(supergraph),
    keys: readEntityKeys(options.supergraphSdl),
  };
  const plans = new LRUCache<string, SubscriptionPlan>({ max: plansMax });
  return {
    schema: options.schema,
    plan(document, operationName) {
      const standalone = extractOperation(document, operationName);
      const text = print(standalone);
      const cached = plans.get(text);
      if (cached) return cached;
      const plan = createPlan(inputs, standalone, text);
      plans.set(text, plan);
      return plan;
    },
  };
}

interface PlannerInputs extends PlannerOptions {
  readonly apiSchema: ReturnType<Supergraph['apiSchema']>;
  readonly supergraphSchema: GraphQLSchema;
  readonly planner: QueryPlanner;
  readonly keys: EntityKeys;
}

/** The operation without its name, and the fragments that it uses. */
function extractOperation(document: DocumentNode, operationName: string | undefined): DocumentNode {
  const operation = getOperationAST(document, operationName) as OperationDefinitionNode;
  const used = new Set<string>();
  const collectFragments = (node: DocumentNode['definitions'][number]): void => {
    visit(node, {
      FragmentSpread({ name }) {
        if (used.has(name.value)) return;
        used.add(name.value);
        const fragment = findFragment(document, name.value);
        if (fragment) collectFragments(fragment);
      },
    });
  };
  collectFragments(operation);
  const { name: _, ...nameless } = operation;
  const fragments = document.definitions.filter(
    (each) => each.kind === Kind.FRAGMENT_DEFINITION && used.has(each.name.value),
  );
  return { kind: Kind.DOCUMENT, definitions: [nameless, ...fragments] };
}

function createPlan(inputs: PlannerInputs, document: DocumentNode, text: string): SubscriptionPlan {
  const { schema, facts, keys } = inputs;
  const owner = buildPlan(inputs, document).primary.serviceName;
  const keyed = withEventKeys(schema, document, keys.get(owner) ?? new Map());
  const { primary, rest } = buildPlan(inputs, keyed);
  const [operation] = document.definitions as [OperationDefinitionNode];
  const [root] = topLevelFields(document, operation);
  const queryPlan: QueryPlan = { kind: 'QueryPlan', node: sequence(primary, rest) };
  const operationContext = buildOperationContext({ schema, operationDocument: document });
  return {
    text,
    primary,
    isPublic: selectsPublicOnly(schema, document, facts),
    beginsWithSnapshot: facts.beginWithSnapshot.has(root?.name.value ?? ''),
    execute(event, variables, context) {
      const services = {
        ...Object.fromEntries(inputs.services),
        ...answerWithEvent(inputs, primary, event),
      };
      const request = { request: { variables }, metrics: {}, context, logger: inputs.logger };
      return executeQueryPlan(
        queryPlan,
        services,
        request as never,
        operationContext,
        inputs.supergraphSchema,
        inputs.apiSchema,
      ) as Promise<ExecutionResult>;
    },
  };
}

function buildPlan({ planner, apiSchema }: PlannerInputs, document: DocumentNode) {
  const { node } = planner.buildQueryPlan(operationFromDocument(apiSchema, document));
  if (node?.kind !== 'Subscription') throw new Error('query plan is not a subscription');
  return node;
}

const sequence = (primary: FetchNode, rest: PlanNode | undefined): PlanNode =>
  rest ? { kind: 'Sequence', nodes: [primary, rest] } : primary;

/** A data source for the subgraph of the events: its first response is the event, later requests go to it. */
function answerWithEvent({ services }: PlannerInputs, primary: FetchNode, event: ExecutionResult) {
  let isEventReturned = false;
  const process: GraphQLDataSource<RouterContext>['process'] = async (options) => {
    if (isEventReturned) {
      const service = services.get(primary.serviceName);
      if (!service) throw new Error(`unknown subgraph ${primary.serviceName}`);
      return service.process(options);
    }
    isEventReturned = true;
    // Execution writes the fields of other subgraphs into these objects.
    return structuredClone(event) as never;
  };
  return { [primary.serviceName]: { process } };
}
