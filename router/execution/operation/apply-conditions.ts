import {
  type DirectiveNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { type Operation, selectionSetsOf } from './operation-document.js';

/** The value of a Boolean variable. */
export type ReadBoolean = (variable: string) => boolean;

/** The variables in `@skip` and `@include` of an operation. */
export function conditionVariables(operation: Operation): string[] {
  const names = new Set<string>();
  for (const { selections } of selectionSetsOf(operation)) {
    for (const { directives = [] } of selections) {
      for (const { name, arguments: given } of directives) {
        const value = given?.[0]?.value;
        const isCondition = name.value === 'skip' || name.value === 'include';
        if (isCondition && value?.kind === Kind.VARIABLE) names.add(value.name.value);
      }
    }
  }
  return [...names];
}

export function isIncluded(
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

/**
 * The operation for the values of its Boolean variables, without `@skip` and `@include`. The planner would make what
 * a field requires depend on the condition of another field. Selections of an object may be empty.
 */
export function applyConditions(operation: Operation, booleanOf: ReadBoolean): Operation {
  const { definition, fragments } = operation;
  const pruned = new Map<string, FragmentDefinitionNode>();
  const pruneFragment = (name: string): FragmentDefinitionNode | undefined => {
    const known = pruned.get(name);
    const fragment = fragments.get(name);
    if (known || !fragment) return known;
    const one = { ...fragment, selectionSet: prune(fragment.selectionSet) };
    pruned.set(name, one);
    return one;
  };
  const prune = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.flatMap(pruneSelection),
  });
  const pruneSelection = (node: SelectionNode): SelectionNode[] => {
    if (!isIncluded(node.directives, booleanOf)) return [];
    const directives = node.directives?.filter(({ name }) => !/^(skip|include)$/.test(name.value));
    const shared = directives ? { directives } : {};
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      const fragment = pruneFragment(node.name.value);
      return fragment?.selectionSet.selections.length ? [{ ...node, ...shared }] : [];
    }
    if (!node.selectionSet) return [{ ...node, ...shared }];
    const selectionSet = prune(node.selectionSet);
    const isEmptyFragment =
      node.kind === Kind.INLINE_FRAGMENT && selectionSet.selections.length === 0;
    return isEmptyFragment ? [] : [{ ...node, ...shared, selectionSet } as SelectionNode];
  };
  const selectionSet = prune(definition.selectionSet);
  const used = [...pruned].filter(([, fragment]) => fragment.selectionSet.selections.length > 0);
  return { definition: { ...definition, selectionSet }, fragments: new Map(used) };
}
