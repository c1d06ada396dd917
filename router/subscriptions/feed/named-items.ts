import {
  type FieldNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  type VariableDefinitionNode,
} from 'graphql';

/** How many items a subscription names: the entries of the lists among its arguments, at least one. */
export function namedItems(
  schema: GraphQLSchema,
  root: FieldNode,
  definitions: readonly VariableDefinitionNode[],
  variables: Readonly<Record<string, unknown>>,
): number {
  const field = schema.getSubscriptionType()?.getFields()[root.name.value];
  const { coerced } = getVariableValues(schema, definitions, variables);
  if (!field || !coerced) return 1;
  const lists = Object.values(getArgumentValues(field, root, coerced)).filter(Array.isArray);
  return Math.max(1, lists.flat().length);
}
