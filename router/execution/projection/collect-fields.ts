import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isAbstractType,
  isUnionType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { responseKey } from '../../graphql-ast.js';
import { isIncluded, type ReadBoolean } from '../operation/apply-conditions.js';
import type { Operation } from '../operation/operation-document.js';

/** What selections mean: the types, the fragments, and the values of `@skip` and `@include`. */
export interface SelectionScope {
  readonly schema: GraphQLSchema;
  readonly fragments: Operation['fragments'];
  readonly booleanOf: ReadBoolean;
}

/** The fields to return for an object of a type, by response key; each has one node or more to merge. */
export function collectFields(
  scope: SelectionScope,
  type: GraphQLCompositeType,
  selectionSets: readonly SelectionSetNode[],
): Map<string, FieldNode[]> {
  const { schema, fragments, booleanOf } = scope;
  const fields = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const applies = (condition: string | undefined): boolean => {
    if (condition === undefined || condition === type.name) return true;
    const other = schema.getType(condition);
    if (!other || !isAbstractType(other) || isUnionType(type)) return false;
    return schema.isSubType(other, type);
  };
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const node of selections) {
      if (!isIncluded(node.directives, booleanOf)) continue;
      if (node.kind === Kind.FIELD) {
        const nodes = fields.get(responseKey(node));
        if (nodes) nodes.push(node);
        else fields.set(responseKey(node), [node]);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        if (applies(node.typeCondition?.name.value)) collect(node.selectionSet);
      } else if (!visited.has(node.name.value)) {
        visited.add(node.name.value);
        const fragment = fragments.get(node.name.value);
        if (fragment && applies(fragment.typeCondition.name.value)) collect(fragment.selectionSet);
      }
    }
  };
  selectionSets.forEach(collect);
  return fields;
}

/** Whether the fields to return depend on which type of an interface or union an object has. */
export function dependsOnType(
  scope: SelectionScope,
  type: GraphQLCompositeType,
  selectionSets: readonly SelectionSetNode[],
): boolean {
  const keysFor = (each: GraphQLCompositeType) =>
    [...collectFields(scope, each, selectionSets)].map(([key, nodes]) => `${key}:${nodes.length}`);
  const known = collectFields(scope, type, selectionSets);
  if ([...known.values()].some(([node]) => node?.name.value === '__typename')) return true;
  const keys = keysFor(type).join();
  return (
    isAbstractType(type) &&
    scope.schema.getPossibleTypes(type).some((each) => keysFor(each).join() !== keys)
  );
}

export const nestedSets = (nodes: readonly FieldNode[]): SelectionSetNode[] =>
  nodes.flatMap(({ selectionSet }) => selectionSet ?? []);
