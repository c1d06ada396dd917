import { Kind, parse, type SelectionSetNode, type StringValueNode } from 'graphql';

/** `Type.field` → the selections that its `@requires` names, in each subgraph that has one. */
export type RequiredFields = ReadonlyMap<string, readonly SelectionSetNode[]>;

/** Reads `@join__field(requires:)` of a supergraph. */
export function readRequires(supergraphSdl: string): RequiredFields {
  const requires = new Map<string, SelectionSetNode[]>();
  for (const type of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (type.kind !== Kind.OBJECT_TYPE_DEFINITION && type.kind !== Kind.INTERFACE_TYPE_DEFINITION) {
      continue;
    }
    for (const { name, directives } of type.fields ?? []) {
      const selections = (directives ?? []).flatMap((directive) => {
        if (directive.name.value !== 'join__field') return [];
        const given = directive.arguments?.find((each) => each.name.value === 'requires')?.value;
        return given?.kind === Kind.STRING ? [parseSelections(given)] : [];
      });
      if (selections.length > 0) requires.set(`${type.name.value}.${name.value}`, selections);
    }
  }
  return requires;
}

function parseSelections({ value }: StringValueNode): SelectionSetNode {
  const [operation] = parse(`{${value}}`, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`not a selection: ${value}`);
  return operation.selectionSet;
}
