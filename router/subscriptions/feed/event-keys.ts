import {
  type DocumentNode,
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type SelectionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

const prefix = 'holdfastKey';

/**
 * Adds key fields to the client's operation: the keys of the type that the subscription returns, or of
 * the entities directly below it. They identify the entity of each event. Clients do not receive them,
 * because the result is shaped by the client's own operation.
 */
export function withEventKeys(
  schema: GraphQLSchema,
  document: DocumentNode,
  keys: ReadonlyMap<string, readonly string[]>,
): DocumentNode {
  const types = new TypeInfo(schema);
  const add = (node: FieldNode): FieldNode | undefined => {
    if (types.getParentType() !== schema.getSubscriptionType() || !node.selectionSet) return;
    const type = getNamedType(types.getType());
    if (!isObjectType(type)) return undefined;
    const selections = [...node.selectionSet.selections, ...keySelections(type, keys)];
    return { ...node, selectionSet: { kind: Kind.SELECTION_SET, selections } };
  };
  return visit(document, visitWithTypeInfo(types, { Field: { leave: add } }));
}

function keySelections(
  type: GraphQLObjectType,
  keys: ReadonlyMap<string, readonly string[]>,
): SelectionNode[] {
  const fields = keyFields(type, keys);
  if (fields) return fields.map((name, index) => field(name, `${prefix}${index}`));
  return Object.values(type.getFields()).flatMap((each, index) => {
    const bare = isNonNullType(each.type) ? each.type.ofType : each.type;
    if (isListType(bare) || !isObjectType(bare) || each.args.length > 0) return [];
    const names = keyFields(bare, keys);
    if (!names) return [];
    const selections = names.map((name, n) => field(name, `${prefix}${n}`));
    return [
      {
        ...field(each.name, `${prefix}${index}`),
        selectionSet: { kind: Kind.SELECTION_SET, selections } as const,
      },
    ];
  });
}

function keyFields(
  type: GraphQLObjectType,
  keys: ReadonlyMap<string, readonly string[]>,
): readonly string[] | null {
  const names = keys.get(type.name);
  const fields = type.getFields();
  const isPlain = (name: string) => {
    const each = fields[name];
    return each !== undefined && isLeafType(getNamedType(each.type)) && each.args.length === 0;
  };
  return names?.every(isPlain) ? names : null;
}

const field = (name: string, alias: string): FieldNode => ({
  kind: Kind.FIELD,
  alias: { kind: Kind.NAME, value: alias },
  name: { kind: Kind.NAME, value: name },
});

/** The entity of an event, as text; null if the event has no keys. */
export function eventKey(data: unknown): string | null {
  const [root] = Object.values((data ?? {}) as Record<string, unknown>);
  if (typeof root !== 'object' || root === null) return null;
  const keys = Object.entries(root).filter(([name]) => name.startsWith(prefix));
  if (keys.length === 0 || keys.every(([, value]) => value === null)) return null;
  return JSON.stringify(keys);
}
