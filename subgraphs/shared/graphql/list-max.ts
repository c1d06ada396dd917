import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLSchema,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
} from 'graphql';
import { Extensions } from 'type-graphql';

/** The greatest length of a list field. */
export interface ListLength {
  readonly max: number;
  /**
   * The fields whose values share their lists: all lists that one value of such a field leads to have at most
   * `max` entries together. If the field itself is among them, so do the lists further down its tree.
   */
  readonly together?: readonly string[];
}

/**
 * States the greatest length of a list without a page argument. Operations are priced by it; a longer list is
 * an internal error. What writes the list must keep it.
 */
export const ListMax = (max: number, together: readonly string[] = []) =>
  Extensions({ listMax: { max, ...(together.length > 0 && { together }) } satisfies ListLength });

type Field = GraphQLField<unknown, unknown>;

const isList = ({ type }: Field) => isListType(getNullableType(type));
const isPaged = ({ args }: Field) => args.some(({ name }) => name === 'first');
const lengthOf = ({ extensions }: Field) => extensions.listMax as ListLength | undefined;

/** `Type.field` and field of each list of a schema without a page argument. */
export function unpagedLists(schema: GraphQLSchema): [string, Field][] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type) || isInterfaceType(type))
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => isList(field) && !isPaged(field))
        .map((field): [string, Field] => [`${type.name}.${field.name}`, field]),
    );
}

/**
 * `Type.field` of each such list → its greatest length.
 *
 * @throws Error naming the lists that state none
 */
export function listLengths(schema: GraphQLSchema): Map<string, ListLength> {
  const lists = unpagedLists(schema);
  const missing = lists.filter(([, field]) => !lengthOf(field)).map(([name]) => name);
  if (missing.length > 0) {
    throw new Error(`lists without a greatest length (@ListMax): ${missing.join(', ')}`);
  }
  return new Map(lists.map(([name, field]) => [name, lengthOf(field) as ListLength]));
}

/**
 * Makes a list beyond its greatest length an error, instead of an answer that costs more than its price.
 *
 * @throws Error naming the lists that state no length
 */
export function enforceListLengths(schema: GraphQLSchema): void {
  listLengths(schema);
  for (const [name, field] of unpagedLists(schema)) {
    const { max } = lengthOf(field) as ListLength;
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = (source, args, context, info) => {
      const list: unknown = resolve(source, args, context, info);
      return list instanceof Promise
        ? list.then((each) => requireWithin(name, max, each))
        : requireWithin(name, max, list);
    };
  }
}

function requireWithin(name: string, max: number, list: unknown): unknown {
  if (Array.isArray(list) && list.length > max) {
    throw new Error(`${name} has ${list.length} entries, more than its greatest length of ${max}`);
  }
  return list;
}
