import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  isObjectType,
  Kind,
  print,
  type SelectionSetNode,
} from 'graphql';

export type Reference = Readonly<Record<string, unknown>>;

/**
 * Finds the entities of a type by the keys with which other subgraphs refer to them: one for each, in order;
 * null where there is none, an Error where it cannot be shown.
 */
export type ReferenceResolver = (
  references: readonly Reference[],
  context: never,
) => readonly unknown[] | Promise<readonly unknown[]>;

/**
 * The values of a field of many entities, in order; an Error where there is none.
 *
 * @param args coerced, but not validated: nothing is applied that surrounds a resolver (rights, class-validator, the
 *   check of texts and of list lengths)
 */
export type FieldReader = (
  entities: readonly never[],
  context: never,
  args: never,
) => Promise<readonly unknown[]>;

export interface EntityResolvers {
  /** by type */
  readonly references: Readonly<Record<string, ReferenceResolver>>;
  /** by `Type.field`; the field has a resolver too, for other places */
  readonly fields?: Readonly<Record<string, FieldReader>>;
}

/** The ids of references whose key is `id`. */
export const idsOf = (references: readonly Reference[]): string[] =>
  references.map(({ id }) => id as string);

/** Resolves each reference by itself, for entities that not everybody may see. */
export const oneByOne =
  <C>(find: (reference: Reference, context: C) => Promise<unknown>) =>
  (references: readonly Reference[], context: C): Promise<readonly unknown[]> =>
    Promise.all(
      references.map(async (each) => {
        try {
          return await find(each, context);
        } catch (error) {
          return error;
        }
      }),
    );

/** As `oneByOne`, for entities whose key is `id`. */
export const byId = <C>(find: (context: C, id: string) => Promise<unknown>) =>
  oneByOne(({ id }, context: C) => find(context, id as string));

const readFields = Symbol('fields that were read for all entities');
interface Entity {
  /** by the first node of a response key */
  [readFields]?: ReadonlyMap<FieldNode, unknown>;
}

/**
 * Makes `_entities` one call, and one promise, for all representations of a type, and so each of `fields`.
 * The resolver of `@apollo/subgraph` makes several promises for each representation.
 */
export function resolveEntitiesTogether(schema: GraphQLSchema, resolvers: EntityResolvers): void {
  const entities = schema.getQueryType()?.getFields()._entities;
  if (!entities) return;
  for (const name of Object.keys(resolvers.fields ?? {})) preferReadValues(schema, name);
  entities.resolve = async (_source, { representations }, context, info) => {
    const values = new Map<Reference, unknown>();
    const byType = Map.groupBy(representations as Reference[], typeNameOf);
    const ofType = async (typeName: string, references: readonly Reference[]) => {
      const resolved = await resolveType(resolvers, typeName, references, context as never, info);
      for (const [n, reference] of references.entries()) values.set(reference, resolved[n]);
    };
    await Promise.all([...byType].map(([typeName, references]) => ofType(typeName, references)));
    return representations.map((reference: Reference) => values.get(reference));
  };
}

const typeNameOf = ({ __typename }: Reference) => String(__typename);

async function resolveType(
  { references: resolvers, fields = {} }: EntityResolvers,
  typeName: string,
  references: readonly Reference[],
  context: never,
  info: GraphQLResolveInfo,
): Promise<readonly unknown[]> {
  const resolved = await allOrErrors(references, async () =>
    requireResolver(resolvers, typeName)(references, context),
  );
  const shown = resolved.filter(isEntity);
  if (shown.length === 0) return resolved;
  const selected = selectedFields(info, typeName).filter(
    ([{ name }]) => fields[`${typeName}.${name.value}`],
  );
  const read = shown.map((entity) => {
    const values = new Map<FieldNode, unknown>();
    Object.defineProperty(entity, '__typename', { value: typeName });
    entity[readFields] = values;
    return values;
  });
  const type = info.schema.getType(typeName) as GraphQLObjectType;
  const readField = async (nodes: SameField) => {
    const [node] = nodes;
    const name = node.name.value;
    const reader = fields[`${typeName}.${name}`] as FieldReader;
    const field = type.getFields()[name] as GraphQLField<unknown, unknown>;
    const values = await allOrErrors(shown, async () => {
      const args = getArgumentValues(field, node, info.variableValues);
      return reader(shown as never[], context, args as never);
    });
    for (const [n, ofEntity] of read.entries()) {
      for (const each of nodes) ofEntity.set(each, values[n]);
    }
  };
  await Promise.all(selected.map(readField));
  return resolved;
}

function requireResolver(
  resolvers: EntityResolvers['references'],
  typeName: string,
): ReferenceResolver {
  const resolver = Object.hasOwn(resolvers, typeName) ? resolvers[typeName] : undefined;
  if (!resolver) throw new Error(`${typeName} is not an entity of this subgraph`);
  return resolver;
}

/** @returns the error of `work` for each of `items`, if it fails: each has its own path in the response */
async function allOrErrors(
  items: readonly unknown[],
  work: () => Promise<readonly unknown[]>,
): Promise<readonly unknown[]> {
  return work().catch((error: Error) => items.map(() => error));
}

const isEntity = (value: unknown): value is Entity =>
  typeof value === 'object' && value !== null && !(value instanceof Error);

/** Has a field return what was read for all entities, where it was. */
function preferReadValues(schema: GraphQLSchema, name: string): void {
  const [typeName, fieldName] = name.split('.') as [string, string];
  const type = schema.getType(typeName);
  const field = isObjectType(type) ? type.getFields()[fieldName] : undefined;
  if (!field?.resolve) throw new Error(`${name} has no resolver`);
  const { rules } = field.extensions as { rules?: readonly string[] };
  if (rules && !rules.includes('anyone')) throw new Error(`${name} is not for everybody`);
  const { resolve } = field;
  field.resolve = (entity: Entity, args, context, info) => {
    const node = info.fieldNodes[0] as FieldNode;
    const read = entity[readFields];
    // Two `_entities` of one operation may have the same object, which then has the values of the second.
    return read?.has(node) ? read.get(node) : resolve(entity, args, context, info);
  };
}

/** Nodes with the same field and arguments, and other response keys: they have the same values. */
type SameField = readonly [FieldNode, ...FieldNode[]];
const selectedByNode = new WeakMap<FieldNode, Map<string, readonly SameField[]>>();

/**
 * The fields of a type that `_entities` selects without directives, the first of each response key; found once for a
 * document.
 */
function selectedFields(info: GraphQLResolveInfo, typeName: string): readonly SameField[] {
  const [node] = info.fieldNodes as readonly [FieldNode];
  const byType = selectedByNode.get(node) ?? new Map<string, readonly SameField[]>();
  selectedByNode.set(node, byType);
  let fields = byType.get(typeName);
  if (!fields) {
    const byKey = new Map<string, FieldNode>();
    for (const each of collect(info, typeName, node.selectionSet)) {
      const key = each.alias?.value ?? each.name.value;
      if (!byKey.has(key)) byKey.set(key, each);
    }
    fields = [...Map.groupBy(byKey.values(), callOf).values()] as unknown as SameField[];
    byType.set(typeName, fields);
  }
  return fields;
}

const callOf = ({ name, arguments: args = [] }: FieldNode) =>
  [name.value, ...args.map(print)].join(' ');

function collect(
  info: GraphQLResolveInfo,
  typeName: string,
  set: SelectionSetNode | undefined,
): FieldNode[] {
  return (set?.selections ?? []).flatMap((each): FieldNode[] => {
    if (each.directives?.length) return [];
    if (each.kind === Kind.FIELD) return [each];
    const fragment = each.kind === Kind.FRAGMENT_SPREAD ? info.fragments[each.name.value] : each;
    const isOfType = (fragment?.typeCondition?.name.value ?? typeName) === typeName;
    return isOfType ? collect(info, typeName, fragment?.selectionSet) : [];
  });
}
