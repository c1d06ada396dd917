import {
  type FieldNode,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';
import { entityKeysByType, responseKey, topLevelFields } from '../graphql-ast.js';
import type { SubgraphRequest } from '../subgraphs/subgraph-service.js';
import type { Variables } from './data/json.js';
import type { FetchNode } from './query-plan.js';

/** The body of a fetch, prepared but for the values of variables and the representations. */
export type WriteBody = (variables: Variables) => Pick<SubgraphRequest, 'head' | 'tail'>;

const representationsVariable = 'representations';

export function compileBody({
  operation,
  operationName,
  variableUsages,
  requires,
}: FetchNode): WriteBody {
  const opening = `{"query":${JSON.stringify(operation)},"variables":{`;
  const closing = operationName ? `},"operationName":${JSON.stringify(operationName)}}` : '}}';
  const used = (variableUsages ?? []).filter(
    (name) => !requires || name !== representationsVariable,
  );
  const prefixes = used.map((name) => `${JSON.stringify(name)}:`);
  const entities = requires ? `${JSON.stringify(representationsVariable)}:[` : '';
  const tail = requires ? `]${closing}` : closing;
  const withoutVariables = { head: opening + entities, tail };
  if (used.length === 0) return () => withoutVariables;
  return (variables) => {
    let head = opening;
    let separator = '';
    for (let n = 0; n < used.length; n++) {
      const name = used[n] as string;
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
      if (value === undefined) continue;
      head += separator + prefixes[n] + JSON.stringify(value);
      separator = ',';
    }
    return { head: requires ? head + separator + entities : head, tail };
  };
}

/** What is missing without the response of a fetch: root fields, or fields of the entities of a type. */
export interface FetchedKeys {
  readonly root: readonly string[];
  readonly byType: ReadonlyMap<string, readonly string[]>;
}

function rootFields({ operation }: FetchNode): FieldNode[] {
  const document = parse(operation, { noLocation: true });
  const [definition] = document.definitions as [OperationDefinitionNode];
  return topLevelFields(document, definition);
}

/** What a fetch of entities selects: the planner writes one fragment or more for each type. */
export const entitySelections = (node: FetchNode): SelectionSetNode | undefined =>
  rootFields(node)[0]?.selectionSet;

/** Reads them from the operation of a fetch; only failed fetches need them. */
export function fetchedKeys(node: FetchNode): FetchedKeys {
  if (!node.requires) return { root: rootFields(node).map(responseKey), byType: new Map() };
  const entities = entitySelections(node);
  return { root: [], byType: entities ? entityKeysByType(entities) : new Map() };
}
