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

/** Parses a document; null if it is invalid. */
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

/** The response key of a field. */
export const responseKey = ({ alias, name }: FieldNode): string => (alias ?? name).value;

/** The root fields to execute, one for each response key, also from fragments. */
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

type Variables = Readonly<Record<string, unknown>>;
type CoercedVariables = ReturnType<typeof getVariableValues>;
interface KnownVariables {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly values: CoercedVariables;
}

/** by the variables of a request, which the limits and the execution coerce */
const known = new WeakMap<Variables, KnownVariables>();

/** As `getVariableValues`, once for the variables of a request, which nobody may change. */
export function coerceVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: Variables,
): CoercedVariables {
  const before = known.get(given);
  if (before?.schema === schema && before.operation === operation) return before.values;
  const values = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  known.set(given, { schema, operation, values });
  return values;
}

/** The variables with their defaults; null if they are invalid, which the execution reports. */
export const variableValues = (
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: Variables = {},
): Record<string, unknown> | null => coerceVariables(schema, operation, given).coerced ?? null;

/**
 * Type → the response keys that `_entities` selects of it. The planner requests fields of entities in
 * fragments, one or more for each type.
 */
export function entityKeysByType({ selections }: SelectionSetNode): ReadonlyMap<string, string[]> {
  const keysByType = new Map<string, string[]>();
  for (const each of selections) {
    if (each.kind !== Kind.INLINE_FRAGMENT || !each.typeCondition) continue;
    const typeName = each.typeCondition.name.value;
    const keys = each.selectionSet.selections
      .filter((selection) => selection.kind === Kind.FIELD)
      .map(responseKey)
      .filter((key) => key !== '__typename');
    keysByType.set(typeName, [...(keysByType.get(typeName) ?? []), ...keys]);
  }
  return keysByType;
}
