import {
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  print,
  type SelectionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { responseKey } from '../../graphql-ast.js';
import { type FieldNames, type Operation, selectionSetsOf } from './operation-document.js';

/** A copy of an operation in which no alias of the client can equal a name that the query planner adds. */
export interface RewrittenOperation {
  readonly operation: Operation;
  /** field of the client's operation → its key in the responses to the copy */
  readonly keyOf: ReadonlyMap<FieldNode, string>;
  /** generated alias → response key of the client */
  readonly clientKeys: ReadonlyMap<string, string>;
}

const typenameField = '__typename';
export const typename: FieldNode = {
  kind: Kind.FIELD,
  name: { kind: Kind.NAME, value: typenameField },
};

/**
 * Gives each field with an alias or with arguments a generated alias: the planner treats aliases of clients and
 * the names of the fields that it adds (keys, and what `@requires` names) as the same names. Fields that GraphQL
 * merges, of the same response key, name and arguments, get the same alias in all fragments.
 *
 * @param emptyObjects selections that get `__typename`, see `findEmptyObjects`
 */
export function rewriteAliases(
  operation: Operation,
  names: FieldNames,
  emptyObjects: ReadonlySet<SelectionSetNode>,
): RewrittenOperation {
  const nextAlias = aliasGenerator(operation, names);
  const aliases = new Map<string, string>();
  const keyOf = new Map<FieldNode, string>();
  const clientKeys = new Map<string, string>();

  const aliasFor = (node: FieldNode): string | null => {
    const key = responseKey(node);
    const name = node.name.value;
    if (name === typenameField) return null;
    const isPlain = key === name && !node.arguments?.length && !names.withArguments.has(name);
    if (isPlain) return null;
    const identity = `${key} ${name} ${canonicalArguments(node)}`;
    const known = aliases.get(identity);
    if (known) return known;
    const alias = nextAlias();
    aliases.set(identity, alias);
    clientKeys.set(alias, key);
    return alias;
  };

  const rewriteSelection = (node: SelectionNode): SelectionNode => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return node;
    if (node.kind === Kind.INLINE_FRAGMENT) {
      return { ...node, selectionSet: rewriteSet(node.selectionSet) };
    }
    const { alias: _, ...field } = node;
    const alias = aliasFor(node);
    keyOf.set(node, alias ?? node.name.value);
    return {
      ...field,
      ...(alias && { alias: { kind: Kind.NAME, value: alias } }),
      ...(node.selectionSet && { selectionSet: rewriteOfField(node.selectionSet) }),
    };
  };
  const rewriteOfField = (set: SelectionSetNode): SelectionSetNode => {
    const { selections } = rewriteSet(set);
    const all = emptyObjects.has(set) ? [typename, ...selections] : selections;
    return { kind: Kind.SELECTION_SET, selections: all };
  };
  const rewriteSet = (set: SelectionSetNode): SelectionSetNode => ({
    ...set,
    selections: set.selections.map(rewriteSelection),
  });

  const { definition, fragments } = operation;
  const rewritten = new Map<string, FragmentDefinitionNode>();
  for (const [name, fragment] of fragments) {
    rewritten.set(name, { ...fragment, selectionSet: rewriteSet(fragment.selectionSet) });
  }
  return {
    operation: {
      definition: { ...definition, selectionSet: rewriteSet(definition.selectionSet) },
      fragments: rewritten,
    },
    keyOf,
    clientKeys,
  };
}

/** Short names that neither the schema nor the client uses. */
function aliasGenerator(operation: Operation, { all }: FieldNames): () => string {
  const used = new Set<string>();
  for (const { selections } of selectionSetsOf(operation)) {
    for (const each of selections) if (each.kind === Kind.FIELD) used.add(responseKey(each));
  }
  let count = 0;
  return () => {
    for (;;) {
      const alias = `_${(count++).toString(36)}`;
      if (!all.has(alias) && !used.has(alias)) return alias;
    }
  };
}

/** Equal for arguments that GraphQL treats as equal: their order, and that of input fields, has no meaning. */
export const canonicalArguments = ({ arguments: given = [] }: FieldNode): string =>
  given
    .map(({ name, value }) => `${name.value}:${print(sorted(value))}`)
    .sort()
    .join(',');

function sorted(value: ValueNode): ValueNode {
  if (value.kind === Kind.LIST) return { ...value, values: value.values.map(sorted) };
  if (value.kind !== Kind.OBJECT) return value;
  const fields = value.fields
    .map((each) => ({ ...each, value: sorted(each.value) }))
    .sort((one, other) => (one.name.value < other.name.value ? -1 : 1));
  return { ...value, fields };
}

/** Whether an alias hides `__typename`, which the planner adds to any selection. */
export function hidesTypename(operation: Operation): boolean {
  for (const { selections } of selectionSetsOf(operation)) {
    for (const each of selections) {
      if (each.kind !== Kind.FIELD || each.name.value === typenameField) continue;
      if (responseKey(each) === typenameField) return true;
    }
  }
  return false;
}

export function hasConditions(operation: Operation): boolean {
  for (const { selections } of selectionSetsOf(operation)) {
    if (selections.some(({ directives }) => directives?.length)) return true;
  }
  return false;
}
