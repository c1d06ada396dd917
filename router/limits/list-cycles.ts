import {
  type DocumentNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { findFragment } from '../graphql-ast.js';

/**
 * Finds an unpaged list that an operation reaches again through other fields, such as the variants of the
 * product of a variant: a hundred of them would be a million. Trees are allowed (`children { children }`),
 * since nesting does not multiply their nodes.
 *
 * @returns the list as `Type.field`, or null
 */
export function findListCycle(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): string | null {
  const walk = (
    { selections }: SelectionSetNode,
    type: GraphQLNamedType | undefined | null,
    above: readonly string[],
  ): string | null => {
    for (const selection of selections) {
      const found = visitSelection(selection, type, above);
      if (found) return found;
    }
    return null;
  };
  const visitSelection = (
    selection: SelectionSetNode['selections'][number],
    type: GraphQLNamedType | undefined | null,
    above: readonly string[],
  ): string | null => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = findFragment(document, selection.name.value);
      const on = fragment && schema.getType(fragment.typeCondition.name.value);
      return fragment ? walk(fragment.selectionSet, on, above) : null;
    }
    if (selection.kind === Kind.INLINE_FRAGMENT) {
      const on = selection.typeCondition && schema.getType(selection.typeCondition.name.value);
      return walk(selection.selectionSet, on ?? type, above);
    }
    if (!selection.selectionSet || !(isObjectType(type) || isInterfaceType(type))) return null;
    const field = type.getFields()[selection.name.value];
    if (!field) return null;
    const name = `${type.name}.${field.name}`;
    // The number of edges of a connection is its `first`, which is part of the cost.
    const isList = isListType(getNullableType(field.type)) && field.name !== 'edges';
    const since = above.slice(above.lastIndexOf(name));
    if (isList && above.includes(name) && since.some((each) => each !== name)) return name;
    return walk(selection.selectionSet, getNamedType(field.type), [...above, name]);
  };
  const rootType = schema.getRootType(operation.operation);
  return walk(operation.selectionSet, rootType, []);
}
