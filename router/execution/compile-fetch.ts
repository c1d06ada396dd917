import { type OperationDefinitionNode, parse } from 'graphql';
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

/** Reads them from the operation of a fetch; only failed fetches need them. */
export function fetchedKeys({ operation, requires }: FetchNode): FetchedKeys {
  const document = parse(operation, { noLocation: true });
  const [definition] = document.definitions as [OperationDefinitionNode];
  const roots = topLevelFields(document, definition);
  if (!requires) return { root: roots.map(responseKey), byType: new Map() };
  const entities = roots[0]?.selectionSet;
  return { root: [], byType: entities ? entityKeysByType(entities) : new Map() };
}
