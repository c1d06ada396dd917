import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
} from 'graphql';

const documentTokensMax = 10_000;

/** A document, or null for what is none. */
export function parseOrNull(query: string): DocumentNode | null {
  try {
    return parse(query, { noLocation: true, maxTokens: documentTokensMax });
  } catch {
    return null; // Apollo Server says what is wrong with it
  }
}

export const findFragment = (
  { definitions }: DocumentNode,
  name: string,
): FragmentDefinitionNode | undefined =>
  definitions.find(
    (each): each is FragmentDefinitionNode =>
      each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === name,
  );

/** Under which key of the answer a field comes. */
export const responseKey = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/** What is executed at the top: one field for each key of the answer, through fragments. */
export function topLevelFields(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): FieldNode[] {
  const fields = new Map<string, FieldNode>();
  const seen = new Set<string>();
  const collect = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        fields.set(responseKey(selection), selection);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        collect(selection.selectionSet);
      } else if (!seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = findFragment(document, selection.name.value);
        if (fragment) collect(fragment.selectionSet);
      }
    }
  };
  collect(operation.selectionSet);
  return [...fields.values()];
}

/** The variables with their defaults; null where they do not fit, which executing them will tell. */
export function variableValues(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: Record<string, unknown> = {},
): Record<string, unknown> | null {
  return getVariableValues(schema, operation.variableDefinitions ?? [], given).coerced ?? null;
}
