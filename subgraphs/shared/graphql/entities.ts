import {
  type FieldNode,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isObjectType,
  Kind,
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

/** The values of a field of many entities, in order; an Error where there is none. */
export type FieldReader = (
  entities: readonly never[],
  context: never,
) => Promise<readonly unknown[]>;

export interface EntityResolvers {
  /** by type */
  readonly references: Readonly<Record<string, ReferenceResolver>>;
  /** by `Type.field`; the field has a resolver too, for arguments and for other places */
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

const readValues = Symbol('values of fields that were read for all entities');
interface Entity {
  [readValues]?: Record<string, unknown>;
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
  for (const entity of shown) Object.defineProperty(entity, '__typename', { value: typeName });
  const read = async (name: string) => {
    const reader = fields[`${typeName}.${name}`];
    if (!reader || shown.length === 0) return;
    const values = await allOrErrors(shown, () => reader(shown as never[], context));
    for (const [n, entity] of shown.entries()) {
      entity[readValues] = { ...entity[readValues], [name]: values[n] };
    }
  };
  await Promise.all(plainFieldsOf(info, typeName).map(read));
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
  const { resolve } = field;
  field.resolve = (entity: Entity, args, context, info) => {
    const values = Object.keys(args).length === 0 ? entity[readValues] : undefined;
    return values && fieldName in values ? values[fieldName] : resolve(entity, args, context, info);
  };
}

const plainFields = new WeakMap<FieldNode, Map<string, readonly string[]>>();

/** The fields of a type that `_entities` selects without arguments and directives; found once for a document. */
function plainFieldsOf(info: GraphQLResolveInfo, typeName: string): readonly string[] {
  const [node] = info.fieldNodes as readonly [FieldNode];
  const byType = plainFields.get(node) ?? new Map<string, readonly string[]>();
  plainFields.set(node, byType);
  const names = byType.get(typeName) ?? [...new Set(collect(info, typeName, node.selectionSet))];
  byType.set(typeName, names);
  return names;
}

function collect(
  info: GraphQLResolveInfo,
  typeName: string,
  set: SelectionSetNode | undefined,
): string[] {
  return (set?.selections ?? []).flatMap((each): string[] => {
    if (each.directives?.length) return [];
    if (each.kind === Kind.FIELD) return each.arguments?.length ? [] : [each.name.value];
    const fragment = each.kind === Kind.FRAGMENT_SPREAD ? info.fragments[each.name.value] : each;
    const isOfType = (fragment?.typeCondition?.name.value ?? typeName) === typeName;
    return isOfType ? collect(info, typeName, fragment?.selectionSet) : [];
  });
}
