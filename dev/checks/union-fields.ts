import {
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';

/**
 * Fields of one name whose types differ between members of a union, or between objects that these have under one name:
 * an operation that selects both is not valid without an alias (GraphQL, 5.3.2, SameResponseShape).
 */
export function conflictsInUnions(schema: GraphQLSchema): string[] {
  const unions = Object.values(schema.getTypeMap()).filter(isUnionType);
  return unions.flatMap((union) => {
    const seen = new Set<string>();
    const found = pairsOf(union.getTypes()).flatMap(([one, other]) => conflicts(one, other, seen));
    return [...new Set(found)].map((conflict) => `${union.name}: ${conflict}`);
  });
}

const pairsOf = <T>(all: readonly T[]) =>
  all.flatMap((one, n) => all.slice(n + 1).map((other) => [one, other] as const));

/** @param seen pairs of types that were compared */
function conflicts(one: GraphQLObjectType, other: GraphQLObjectType, seen: Set<string>): string[] {
  const pair = `${one.name} ${other.name}`;
  if (one === other || seen.has(pair)) return [];
  seen.add(pair);
  const fields = other.getFields();
  return Object.values(one.getFields()).flatMap(({ name, type }) => {
    const otherType = fields[name]?.type;
    if (!otherType) return [];
    if (shapeOf(type) !== shapeOf(otherType))
      return [`${one.name}.${name} is ${type}, ${other.name}.${name} is ${otherType}`];
    const [inner, otherInner] = [getNamedType(type), getNamedType(otherType)];
    return isObjectType(inner) && isObjectType(otherInner)
      ? conflicts(inner, otherInner, seen)
      : [];
  });
}

/** What must be equal: lists, what may be null, and the type of a scalar or an enum. */
function shapeOf(type: GraphQLOutputType): string {
  const named = getNamedType(type);
  return isLeafType(named) ? String(type) : String(type).replace(named.name, 'object');
}
