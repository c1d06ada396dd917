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

/** The plan of one operation: its upstream subscription, and how its events are completed. */
export interface SubscriptionPlan {
  /** key of the operation, independent of its name and format */
  readonly text: string;
  /** the operation for the subgraph that owns the events */
  readonly primary: FetchNode;
  readonly isPublic: boolean;
  readonly beginsWithSnapshot: boolean;
  /** Completes one event with fields of other subgraphs, and shapes it as the client requested. */
  execute(
    event: ExecutionResult,
    variables: Variables,
    context: RouterContext,
  ): Promise<ExecutionResult>;
}

export interface Planner {
  readonly schema: GraphQLSchema;
  /** @throws GraphQLError for an operation that cannot be planned */
  plan(document: DocumentNode, operationName: string | undefined): SubscriptionPlan;
}

interface PlannerOptions {
  readonly supergraphSdl: string;
  /** the public schema */
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly facts: SubscriptionFacts;
  readonly logger: Logger;
}

/** Plans subscriptions over a supergraph; the gateway plans them too, but does not execute them. */
export function createPlanner(options: PlannerOptions): Planner {
  const supergraph = Supergraph.build(options.supergraphSdl, { validateSupergraph: false });
  const parts: PlannerParts = {
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
      const plan = planOf(parts, standalone, text);
      plans.set(text, plan);
      return plan;
    },
  };
}

interface PlannerParts extends PlannerOptions {
  readonly apiSchema: ReturnType<Supergraph['apiSchema']>;
  readonly supergraphSchema: GraphQLSchema;
  readonly planner: QueryPlanner;
  readonly keys: EntityKeys;
}

/** One operation without its name, and the fragments that it uses. */
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

function planOf(parts: PlannerParts, document: DocumentNode, text: string): SubscriptionPlan {
  const { schema, facts, keys } = parts;
  const owner = buildPlan(parts, document).primary.serviceName;
  const keyed = withEventKeys(schema, document, keys.get(owner) ?? new Map());
  const { primary, rest } = buildPlan(parts, keyed);
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
        ...Object.fromEntries(parts.services),
        ...answerWithEvent(parts, primary, event),
      };
      const request = { request: { variables }, metrics: {}, context, logger: parts.logger };
      return executeQueryPlan(
        queryPlan,
        services,
        request as never,
        operationContext,
        parts.supergraphSchema,
        parts.apiSchema,
      ) as Promise<ExecutionResult>;
    },
  };
}

function buildPlan({ planner, apiSchema }: PlannerParts, document: DocumentNode) {
  const { node } = planner.buildQueryPlan(operationFromDocument(apiSchema, document));
  if (node?.kind !== 'Subscription') throw new Error('a subscription has no plan');
  return node;
}

const sequence = (primary: FetchNode, rest: PlanNode | undefined): PlanNode =>
  rest ? { kind: 'Sequence', nodes: [primary, rest] } : primary;

/** Answers the first request to the owner of the events with the event; later requests are sent to it. */
function answerWithEvent({ services }: PlannerParts, primary: FetchNode, event: ExecutionResult) {
  let isEventSent = false;
  const process: GraphQLDataSource<RouterContext>['process'] = async (options) => {
    if (isEventSent) {
      const service = services.get(primary.serviceName);
      if (!service) throw new Error(`there is no subgraph ${primary.serviceName}`);
      return service.process(options);
    }
    isEventSent = true;
    // The event's objects become those of the response, and fields of other subgraphs are merged into them.
    return structuredClone(event) as never;
  };
  return { [primary.serviceName]: { process } };
}
