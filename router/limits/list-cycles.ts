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
 * A list without pages that an operation reaches again through other fields, such as the variants of
 * the product of a variant: a hundred of them would be a million. A tree may be descended
 * (`children { children { … } }`): it has no more than it has.
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
    // The edges of a connection are as many as its `first` says, which has its price.
    const isList = isListType(getNullableType(field.type)) && field.name !== 'edges';
    const since = above.slice(above.lastIndexOf(name));
    if (isList && above.includes(name) && since.some((each) => each !== name)) return name;
    return walk(selection.selectionSet, getNamedType(field.type), [...above, name]);
  };
  const rootType = schema.getRootType(operation.operation);
  return walk(operation.selectionSet, rootType, []);
}
