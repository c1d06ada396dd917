import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** One operation, and the fragments that it uses. */
export interface Operation {
  readonly definition: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
}

export function operationOf(
  document: DocumentNode,
  definition: OperationDefinitionNode,
): Operation {
  const all = new Map<string, FragmentDefinitionNode>();
  for (const each of document.definitions) {
    if (each.kind === Kind.FRAGMENT_DEFINITION) all.set(each.name.value, each);
  }
  const fragments = new Map<string, FragmentDefinitionNode>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const each of selections) {
      if (each.kind !== Kind.FRAGMENT_SPREAD) {
        if (each.selectionSet) collect(each.selectionSet);
        continue;
      }
      const fragment = all.get(each.name.value);
      if (!fragment || fragments.has(each.name.value)) continue;
      fragments.set(each.name.value, fragment);
      collect(fragment.selectionSet);
    }
  };
  collect(definition.selectionSet);
  return { definition, fragments };
}

export const documentOf = ({ definition, fragments }: Operation): DocumentNode => ({
  kind: Kind.DOCUMENT,
  definitions: [definition, ...fragments.values()],
});

/** All selection sets of an operation, those of its fragments once. */
export function* selectionSetsOf({
  definition,
  fragments,
}: Operation): Generator<SelectionSetNode> {
  function* within(set: SelectionSetNode): Generator<SelectionSetNode> {
    yield set;
    for (const each of set.selections) {
      if (each.kind !== Kind.FRAGMENT_SPREAD && each.selectionSet) yield* within(each.selectionSet);
    }
  }
  yield* within(definition.selectionSet);
  for (const { selectionSet } of fragments.values()) yield* within(selectionSet);
}

/** Whether an operation selects `__schema` or `__type`. */
export function selectsIntrospection(operation: Operation): boolean {
  for (const { selections } of selectionSetsOf(operation)) {
    for (const each of selections) {
      if (each.kind === Kind.FIELD && /^__(schema|type)$/.test(each.name.value)) return true;
    }
  }
  return false;
}

/** The names of all fields of a schema, and of those that have arguments in some type. */
export function fieldNamesOf(schema: GraphQLSchema) {
  const all = new Set<string>();
  const withArguments = new Set<string>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) && !isInterfaceType(type)) continue;
    for (const { name, args } of Object.values(type.getFields())) {
      all.add(name);
      if (args.length > 0) withArguments.add(name);
    }
  }
  return { all, withArguments };
}
export type FieldNames = ReturnType<typeof fieldNamesOf>;
