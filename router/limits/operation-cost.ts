import {
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  valueFromASTUntyped,
  visit,
} from 'graphql';
import { findFragment } from '../graphql-ast.js';
import type { ListLengths } from '../supergraph/list-lengths.js';

/** Length of a list of which nothing is known, such as one of a foreign supergraph. */
const unknownLength = 10;

type Maybe<T> = T | null | undefined;

/** Where a selection is. */
interface Place {
  readonly type: Maybe<GraphQLNamedType>;
  /** `Type.field` that led here */
  readonly from: string;
  /**
   * Of the objects here, how many there are of those whose lists these are: 0.01 if each had a list of 100.
   */
  readonly share: number;
  /** size of the page, in a connection */
  readonly page: number | null;
}

/**
 * The cost of an operation: the greatest number of values that its answer may have, each object, entry of a
 * list and leaf being one. `@skip` and `@include` are ignored, and a field counts once per selection.
 *
 * @param values of the variables
 */
export function operationCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  lengths: ListLengths,
  values: Record<string, unknown>,
): number {
  const ofFragments = new Map<string, number>();

  /** For one object at this place. */
  function costOfSet({ selections }: SelectionSetNode, place: Place): number {
    let cost = 0;
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) cost += costOfField(selection, place);
      else if (selection.kind === Kind.FRAGMENT_SPREAD) {
        cost += costOfFragment(selection.name.value, place);
      } else {
        const on = selection.typeCondition?.name.value;
        const type = on === undefined ? place.type : schema.getType(on);
        cost += costOfSet(selection.selectionSet, { ...place, type });
      }
    }
    return cost;
  }

  // Each once: fragments that spread the next one twice would take for ever.
  function costOfFragment(name: string, place: Place): number {
    const fragment = findFragment(document, name);
    if (!fragment) return 0;
    const key = `${name} ${place.from} ${place.share} ${place.page}`;
    const known = ofFragments.get(key);
    if (known !== undefined) return known;
    const type = schema.getType(fragment.typeCondition.name.value);
    const cost = costOfSet(fragment.selectionSet, { ...place, type });
    ofFragments.set(key, cost);
    return cost;
  }

  function costOfField(node: FieldNode, place: Place): number {
    const field = fieldOf(schema, place.type, node.name.value);
    if (!field) return 1;
    const from = `${(place.type as GraphQLNamedType).name}.${field.name}`;
    const page = pageSize(field, node, values);
    const isList = isListType(getNullableType(field.type));
    const { length, share } = isList ? lengthOf(from, field.name, page, place) : single;
    const type = getNamedType(field.type);
    const inside = { type, from, share, page: isList ? null : page };
    return length * (1 + (node.selectionSet ? costOfSet(node.selectionSet, inside) : 0));
  }

  function lengthOf(from: string, name: string, page: number | null, place: Place) {
    if (page !== null) return { length: page, share: 1 / page };
    const { max, together } = lengths.get(from) ?? { max: place.page ?? unknownLength };
    if (place.page !== null && (name === 'edges' || name === 'nodes')) {
      const length = Math.min(place.page, max);
      return { length, share: 1 / length };
    }
    if (!together?.includes(place.from)) return { length: max, share: 1 / max };
    const length = Math.min(max, max * place.share);
    return { length, share: place.share / length };
  }

  const type = schema.getRootType(operation.operation);
  return Math.ceil(costOfSet(operation.selectionSet, { type, from: '', share: 1, page: null }));
}

const single = { length: 1, share: 1 };

function fieldOf(
  schema: GraphQLSchema,
  type: Maybe<GraphQLNamedType>,
  name: string,
): Maybe<GraphQLField<unknown, unknown>> {
  if (name === SchemaMetaFieldDef.name && type === schema.getQueryType()) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name && type === schema.getQueryType()) return TypeMetaFieldDef;
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : null;
}

const sizeArguments = ['first', 'last'];

/**
 * The size of the requested page; null for a field without pages. An argument without a value, or with null, has the
 * default of the schema.
 */
function pageSize(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  values: Record<string, unknown>,
): number | null {
  const args = field.args.filter(({ name }) => sizeArguments.includes(name));
  if (args.length === 0) return null;
  const sizes = args.map(({ name, defaultValue }) => {
    const given = node.arguments?.find((each) => each.name.value === name)?.value;
    return (given && valueFromASTUntyped(given, values)) ?? defaultValue;
  });
  const known = sizes.filter((each) => typeof each === 'number');
  return known.length > 0 ? Math.max(1, ...known) : unknownLength;
}

/** The variables that set page sizes. */
export function sizeVariables(document: DocumentNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Argument({ name, value }) {
      if (!sizeArguments.includes(name.value)) return;
      visit(value, { Variable: (variable) => void names.add(variable.name.value) });
    },
  });
  return [...names];
}
