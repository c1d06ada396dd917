import {
  type FieldNode,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { responseKey, topLevelFields } from '../graphql-ast.js';
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

/** The fragments in which the planner requests fields of entities, one or more for each type. */
export const entitySelections = (node: FetchNode): InlineFragmentNode[] =>
  (rootFields(node)[0]?.selectionSet?.selections ?? []).filter(
    (each) => each.kind === Kind.INLINE_FRAGMENT,
  );

/** Reads them from the operation of a fetch; only failed fetches need them. */
export function fetchedKeys(node: FetchNode): FetchedKeys {
  if (!node.requires) return { root: rootFields(node).map(responseKey), byType: new Map() };
  const byType = new Map<string, string[]>();
  for (const each of entitySelections(node)) {
    if (!each.typeCondition) continue;
    const typeName = each.typeCondition.name.value;
    const keys = each.selectionSet.selections
      .filter((selection) => selection.kind === Kind.FIELD)
      .map(responseKey)
      .filter((key) => key !== '__typename');
    byType.set(typeName, [...(byType.get(typeName) ?? []), ...keys]);
  }
  return { root: [], byType };
}
