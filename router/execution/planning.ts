import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { type FieldNames, fieldNamesOf } from './operation/operation-document.js';
import { type RequiredFields, readRequires } from './operation/required-fields.js';
import type { PlanNode } from './query-plan.js';

/** What plans are made from: one supergraph. */
export interface Planning {
  readonly supergraphSdl: string;
  /** with hidden types */
  readonly supergraphSchema: GraphQLSchema;
  readonly fieldNames: FieldNames;
  readonly requires: RequiredFields;
  /**
   * Plans the only operation of a document.
   *
   * @returns undefined if nothing is to be fetched
   * @throws GraphQLError if it cannot be planned
   */
  plan(document: DocumentNode): PlanNode | SubscriptionPlanNode | undefined;
}

export interface SubscriptionPlanNode {
  readonly kind: 'Subscription';
  readonly primary: Extract<PlanNode, { kind: 'Fetch' }>;
  readonly rest?: PlanNode;
}

let latest: Planning | undefined;

/** Queries and subscriptions of one supergraph are planned by one planner: it takes seconds to build. */
export function planningOf(supergraphSdl: string): Planning {
  if (latest?.supergraphSdl === supergraphSdl) return latest;
  const supergraph = Supergraph.build(supergraphSdl, { validateSupergraph: false });
  const planner = new QueryPlanner(supergraph);
  const apiSchema = supergraph.apiSchema();
  const supergraphSchema = supergraph.schema.toGraphQLJSSchema();
  latest = {
    supergraphSdl,
    supergraphSchema,
    fieldNames: fieldNamesOf(supergraphSchema),
    requires: readRequires(supergraphSdl),
    plan: (document) =>
      planner.buildQueryPlan(operationFromDocument(apiSchema, document, { validate: false }))
        .node as ReturnType<Planning['plan']>,
  };
  return latest;
}
