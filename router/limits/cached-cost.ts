import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { ListLengths } from '../supergraph/list-lengths.js';
import { introspectionLengths } from '../supergraph/list-lengths.js';
import { operationCost, sizeVariables } from './operation-cost.js';

// Costs of one operation, by its page sizes.
const costsMax = 100;

interface Costs {
  /** the variables that set page sizes */
  readonly sizes: readonly string[];
  /** `sizes` as JSON → cost; '' if there are none */
  readonly bySizes: LRUCache<string, number>;
}

/**
 * Computes the cost of an operation once for each set of page sizes; see `operationCost`.
 *
 * @param lengthsNow the lengths of the lists of the current supergraph
 */
export function createCachedCost(lengthsNow: () => ListLengths) {
  let known = lengthsNow();
  let costs = new WeakMap<OperationDefinitionNode, Costs>();
  const introspection = new WeakMap<GraphQLSchema, ListLengths>();

  function lengthsFor(schema: GraphQLSchema): ListLengths {
    let ofSchema = introspection.get(schema);
    if (!ofSchema) {
      ofSchema = introspectionLengths(schema);
      introspection.set(schema, ofSchema);
    }
    return new Map([...known, ...ofSchema]);
  }

  return (
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    values: Record<string, unknown>,
  ): number => {
    const lengths = lengthsNow();
    if (lengths !== known) {
      known = lengths;
      costs = new WeakMap();
    }
    let ofOperation = costs.get(operation);
    if (!ofOperation) {
      ofOperation = { sizes: sizeVariables(document), bySizes: new LRUCache({ max: costsMax }) };
      costs.set(operation, ofOperation);
    }
    const { sizes, bySizes } = ofOperation;
    const key = sizes.length === 0 ? '' : JSON.stringify(sizes.map((name) => values[name] ?? null));
    let cost = bySizes.get(key);
    if (cost === undefined) {
      cost = operationCost(schema, document, operation, lengthsFor(schema), values);
      bySizes.set(key, cost);
    }
    return cost;
  };
}
