import { registerEnumType } from 'type-graphql';

/**
 * Declares an enum of the GraphQL schema.
 *
 * @param values value → its description
 * @returns the values, each under its own name
 */
export function enumOf<V extends string>(
  name: string,
  description: string,
  values: Readonly<Record<V, string>>,
): { readonly [K in V]: K } {
  const names = Object.keys(values) as V[];
  const constants = Object.fromEntries(names.map((value) => [value, value]));
  const described = names.map((value) => [value, { description: values[value] }]);
  registerEnumType(constants, { name, description, valuesConfig: Object.fromEntries(described) });
  return constants as { readonly [K in V]: K };
}
