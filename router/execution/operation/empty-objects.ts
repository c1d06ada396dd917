import {
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isUnionType,
  Kind,
  type SelectionSetNode,
} from 'graphql';
import type { Operation } from './operation-document.js';

/**
 * The selections of objects of which nothing may be left, because of variables or of the object's type. The planner
 * would not request such an object, and it would be null rather than empty.
 */
export function findEmptyObjects(
  schema: GraphQLSchema,
  { definition, fragments }: Operation,
): ReadonlySet<SelectionSetNode> {
  const found = new Set<SelectionSetNode>();

  const isAlways = (type: GraphQLCompositeType, condition: string | undefined): boolean => {
    if (condition === undefined || condition === type.name) return true;
    const other = schema.getType(condition);
    return isAbstractType(other) && !isUnionType(type) && schema.isSubType(other, type);
  };
  const hasField = (type: GraphQLCompositeType, { selections }: SelectionSetNode): boolean =>
    selections.some((each) => {
      if (each.directives?.length) return false;
      if (each.kind === Kind.FIELD) return true;
      const fragment = each.kind === Kind.FRAGMENT_SPREAD ? fragments.get(each.name.value) : each;
      const condition = fragment?.typeCondition?.name.value;
      return (
        fragment !== undefined && isAlways(type, condition) && hasField(type, fragment.selectionSet)
      );
    });
  const visit = (type: GraphQLCompositeType, { selections }: SelectionSetNode): void => {
    for (const each of selections) {
      if (each.kind === Kind.FRAGMENT_SPREAD || !each.selectionSet) continue;
      if (each.kind === Kind.INLINE_FRAGMENT) {
        visit(typeNamed(each.typeCondition?.name.value) ?? type, each.selectionSet);
        continue;
      }
      const field = 'getFields' in type ? type.getFields()[each.name.value] : undefined;
      const inner = field && getNamedType(field.type);
      if (!isCompositeType(inner)) continue;
      if (!hasField(inner, each.selectionSet)) found.add(each.selectionSet);
      visit(inner, each.selectionSet);
    }
  };
  const typeNamed = (name: string | undefined) => {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  };

  const root = schema.getRootType(definition.operation);
  if (root) visit(root, definition.selectionSet);
  for (const { typeCondition, selectionSet } of fragments.values()) {
    const type = typeNamed(typeCondition.name.value);
    if (type) visit(type, selectionSet);
  }
  return found;
}
