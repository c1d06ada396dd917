import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
} from 'graphql';
import type { Planning } from '../../router/execution/planning.js';
import { hashOf } from './random.js';

/** An object of the data: entities are a number, other objects the path to them. */
export interface Thing {
  readonly $type: string;
  readonly $id: string;
  /** the representation that a subgraph received */
  readonly $given?: Readonly<Record<string, unknown>>;
}

export const rootOf = (type: string): Thing => ({ $type: type, $id: '' });

const entitiesPerType = 5;
const codes = ['RED', 'GREEN', 'BLUE'];

/**
 * Data for a supergraph: each value is a pure function of the type and identity of its object, the field and its
 * arguments, so that all executors find the same nulls and errors.
 *
 * @param subgraphs the schema of each
 */
export function createWorld(
  { supergraphSchema: schema, requires }: Planning,
  subgraphs: readonly GraphQLSchema[],
  sdls: readonly DocumentNode[],
) {
  const keys = readKeys(sdls);
  const required = namesIn([...requires.values()].flat());

  /** All types of an interface that is an entity are one family: their number says which type it is. */
  const familyOf = (typeName: string): string => {
    const type = schema.getType(typeName);
    if (!isObjectType(type)) return typeName;
    return type.getInterfaces().find(({ name }) => keys.has(name))?.name ?? typeName;
  };
  const membersOf = (family: string): string[] => {
    const type = schema.getType(family);
    return isInterfaceType(type)
      ? schema
          .getPossibleTypes(type)
          .map(({ name }) => name)
          .sort()
      : [family];
  };
  const isEntity = (typeName: string) => keys.has(typeName) || keys.has(familyOf(typeName));
  const entity = (typeName: string, number: number): Thing => {
    const members = membersOf(familyOf(typeName));
    const at = members.indexOf(typeName);
    const aligned = at < 0 ? number : number * members.length + at;
    return { $type: members[aligned % members.length] as string, $id: String(aligned) };
  };

  /** What each subgraph with the field can return: types, or values of an enum. */
  const choices = new Map<string, string[]>();
  const choicesOf = (typeName: string, fieldName: string, named: string): string[] => {
    const coordinate = `${typeName}.${fieldName}`;
    const known = choices.get(coordinate);
    if (known) return known;
    const owners = [typeName, familyOf(typeName)];
    const sets = subgraphs.flatMap((subgraph) => {
      const owner = owners.map((name) => subgraph.getType(name)).find(isObjectType);
      const type = owner?.getFields()[fieldName] && subgraph.getType(named);
      if (isEnumType(type)) return [type.getValues().map(({ name }) => name)];
      return isAbstractType(type) ? [subgraph.getPossibleTypes(type).map(({ name }) => name)] : [];
    });
    const all =
      sets.length > 0
        ? sets.reduce((one, other) => one.filter((each) => other.includes(each)))
        : membersOf(named);
    const chosen = all.toSorted();
    choices.set(coordinate, chosen);
    return chosen;
  };

  function field(thing: Thing, name: string, args: object): unknown {
    const type = schema.getType(thing.$type);
    if (!isObjectType(type)) throw new Error(`unknown type ${thing.$type}`);
    const definition = type.getFields()[name];
    if (!definition) throw new Error(`unknown field ${thing.$type}.${name}`);
    const family = familyOf(thing.$type);
    const isKey = keys.get(family)?.has(name) ?? keys.get(thing.$type)?.has(name) ?? false;
    const named = getNamedType(definition.type);
    if (isKey) return keyValue(thing, name, named.name);
    const demanded = requires.get(`${thing.$type}.${name}`)?.[0];
    const given = demanded ? requiredOf(thing, demanded) : null;
    const place = `${family}:${thing.$id}.${name}(${stable(args)})${given ? stable(given) : ''}`;
    const isSafe = required.has(name) && isNonNullType(definition.type);
    return generate(definition.type, place, isSafe, (at) => {
      if (!isCompositeType(named)) return leafOf(thing.$type, name, named, at);
      const types = isAbstractType(named) ? choicesOf(thing.$type, name, named.name) : [named.name];
      const chosen = types[hashOf(`${at}?`) % types.length] as string;
      if (isEntity(chosen)) return entity(chosen, hashOf(`${at}#`) % entitiesPerType);
      return { $type: chosen, $id: at };
    });
  }

  function keyValue(thing: Thing, name: string, typeName: string): unknown {
    const number = Number(thing.$id);
    if (typeName === 'Int') return number;
    if (isCompositeType(schema.getType(typeName))) return entity(typeName, number);
    return `${name}-${number}`;
  }

  function leafOf(
    typeName: string,
    name: string,
    type: { readonly name: string },
    at: string,
  ): unknown {
    const hash = hashOf(`${at}=`);
    if (isEnumType(type)) {
      const values = choicesOf(typeName, name, type.name);
      return values[hash % values.length];
    }
    if (type.name === 'Int') return hash % 1000;
    if (type.name === 'Float') return (hash % 1000) / 8;
    if (type.name === 'Boolean') return hash % 2 === 0;
    return `${name} ${hash % 1000}`;
  }

  /** What a field requires of its object: as the subgraph received it, or computed, with null for errors. */
  function requiredOf(thing: Thing, set: SelectionSetNode): Record<string, unknown> {
    const read = (from: unknown, { selections }: SelectionSetNode): unknown => {
      if (Array.isArray(from))
        return from.map((each) => read(each, { kind: Kind.SELECTION_SET, selections }));
      if (typeof from !== 'object' || from === null) return null;
      return Object.fromEntries(
        (selections as readonly FieldNode[]).map((node) => {
          const value = thing.$given
            ? (from as Record<string, unknown>)[node.name.value]
            : valueOrNull(from as Thing, node);
          return [
            node.name.value,
            node.selectionSet ? read(value, node.selectionSet) : (value ?? null),
          ];
        }),
      );
    };
    return read(thing.$given ?? thing, set) as Record<string, unknown>;
  }

  function valueOrNull(thing: Thing, node: FieldNode): unknown {
    const type = schema.getType(thing.$type);
    const definition = isObjectType(type) ? type.getFields()[node.name.value] : undefined;
    if (!definition) throw new Error(`unknown field ${thing.$type}.${node.name.value}`);
    try {
      const value = field(thing, node.name.value, getArgumentValues(definition, node));
      return Array.isArray(value)
        ? value.map((each) => (each instanceof Error ? null : each))
        : value;
    } catch {
      return null;
    }
  }

  return {
    field,
    /** the entity that a representation stands for */
    entityOf(representation: Readonly<Record<string, unknown>>): Thing {
      const typeName = representation.__typename as string;
      const names = [...(keys.get(typeName) ?? []), ...(keys.get(familyOf(typeName)) ?? [])];
      const values = names.map((name) => representation[name]);
      const isPlain = (each: unknown) => typeof each === 'string' || typeof each === 'number';
      // A key of objects only has their keys.
      const nested = values.flatMap((each) => Object.values((each ?? {}) as object));
      const value = values.find(isPlain) ?? nested.find((each) => /\d$/.test(String(each)));
      const number = Number(/\d+$/.exec(String(value))?.[0]);
      const members = membersOf(familyOf(typeName));
      const $type = members[number % members.length] as string;
      return { $type, $id: String(number), $given: representation };
    },
    /** the type of an object as a schema knows it: a subgraph may know its interface only */
    typeIn: (known: GraphQLSchema, thing: Thing): string =>
      isObjectType(known.getType(thing.$type)) ? thing.$type : familyOf(thing.$type),
  };
}
export type World = ReturnType<typeof createWorld>;

/** Null, an error, or the value; lists have up to three elements. */
function generate(
  type: GraphQLOutputType,
  at: string,
  isSafe: boolean,
  make: (at: string) => unknown,
): unknown {
  const isNonNull = isNonNullType(type);
  const luck = hashOf(`${at}!`) % 100;
  if (!isSafe) {
    if (luck < (isNonNull ? 1 : 4)) {
      throw new GraphQLError('It failed.', {
        extensions: { code: codes[hashOf(at) % codes.length] },
      });
    }
    if (luck < (isNonNull ? 2 : 14)) return null;
  }
  const bare = isNonNull ? type.ofType : type;
  if (!isListType(bare)) return make(at);
  return Array.from({ length: hashOf(`${at}*`) % 4 }, (_, n) => {
    try {
      return generate(bare.ofType, `${at}[${n}]`, isSafe, make);
    } catch (error) {
      return error; // graphql-js reports it at the element
    }
  });
}

const stable = (value: unknown): string =>
  JSON.stringify(value, (_, each) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );

/** type → the fields of its keys */
function readKeys(sdls: readonly DocumentNode[]): Map<string, Set<string>> {
  const keys = new Map<string, Set<string>>();
  for (const definition of sdls.flatMap(({ definitions }) => definitions)) {
    if (!('directives' in definition) || !('name' in definition) || !definition.name) continue;
    for (const { name, arguments: given } of definition.directives ?? []) {
      const value = given?.find((each) => each.name.value === 'fields')?.value;
      if (name.value !== 'key' || value?.kind !== Kind.STRING) continue;
      const [operation] = parse(`{${value.value}}`).definitions;
      const names = keys.get(definition.name.value) ?? new Set();
      keys.set(definition.name.value, names);
      if (operation?.kind !== Kind.OPERATION_DEFINITION) continue;
      for (const each of operation.selectionSet.selections as readonly FieldNode[]) {
        names.add(each.name.value);
      }
    }
  }
  return keys;
}

function namesIn(sets: readonly SelectionSetNode[]): Set<string> {
  return new Set(
    sets.flatMap(({ selections }) =>
      (selections as readonly FieldNode[]).flatMap(({ name, selectionSet }) => [
        name.value,
        ...(selectionSet ? namesIn([selectionSet]) : []),
      ]),
    ),
  );
}
