import {
  type DirectiveNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  isAbstractType,
  isUnionType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import { responseKey } from '../../graphql-ast.js';
import type { Operation } from '../operation-document.js';

/** The value of a Boolean variable. */
export type ReadBoolean = (variable: string) => boolean;

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

export const nestedSets = (nodes: readonly FieldNode[]): SelectionSetNode[] =>
  nodes.flatMap(({ selectionSet }) => selectionSet ?? []);

function isIncluded(
  directives: readonly DirectiveNode[] | undefined,
  booleanOf: ReadBoolean,
): boolean {
  for (const { name, arguments: given } of directives ?? []) {
    const isSkip = name.value === 'skip';
    if (!isSkip && name.value !== 'include') continue;
    const value = given?.[0]?.value;
    const condition =
      value?.kind === Kind.VARIABLE
        ? booleanOf(value.name.value)
        : value?.kind === Kind.BOOLEAN && value.value;
    if (condition === isSkip) return false;
  }
  return true;
}
