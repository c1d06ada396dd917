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
  print,
  type SelectionNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

type EntityKeysOfSubgraph = ReadonlyMap<string, readonly string[]>;

export interface KeyedOperation {
  readonly document: DocumentNode;
  /** The entity of an event of this operation, as text; null if the event has no keys. */
  keyOf(data: unknown): string | null;
  /** The version of that entity; null if the events have none. */
  versionOf(data: unknown): number | null;
  /** whether clients see the version */
  readonly showsVersion: boolean;
}

/**
 * Adds key fields to the client's operation: the keys of the type that the subscription returns, or of
 * the entities directly below it. They identify the entity of each event. Clients do not receive them,
 * because the result is shaped by the client's own operation. The version of the entity is added likewise.
 *
 * @param versionField of the type that the subscription returns
 */
export function withEventKeys(
  schema: GraphQLSchema,
  document: DocumentNode,
  keys: EntityKeysOfSubgraph,
  versionField?: string,
): KeyedOperation {
  const prefix = unusedPrefix(document);
  const version = `${prefix}${versionAlias}`;
  let rootType: GraphQLObjectType | undefined;
  let showsVersion = false;
  const types = new TypeInfo(schema);
  const add = (node: FieldNode): FieldNode | undefined => {
    if (types.getParentType() !== schema.getSubscriptionType() || !node.selectionSet) return;
    const type = getNamedType(types.getType());
    if (!isObjectType(type)) return undefined;
    rootType = type;
    const selections = [...node.selectionSet.selections, ...keySelections(type, keys, prefix)];
    if (versionField) selections.push(field(versionField, version));
    return { ...node, selectionSet: { kind: Kind.SELECTION_SET, selections } };
  };
  const keyed = visit(document, visitWithTypeInfo(types, { Field: { leave: add } }));
  const look = (node: FieldNode) => {
    if (node.name.value === versionField && types.getParentType() === rootType) showsVersion = true;
  };
  visit(document, visitWithTypeInfo(types, { Field: look }));
  return {
    document: keyed,
    keyOf: (data) => eventKey(data, prefix),
    versionOf: (data) => versionIn(data, version),
    showsVersion,
  };
}

const versionAlias = 'version';

/** The beginning of names that are not in the document: with an alias like them, a client could forge keys. */
function unusedPrefix(document: DocumentNode): string {
  const text = print(document);
  for (let n = 0; ; n++) {
    const prefix = `holdfastKey${n}_`;
    if (!text.includes(prefix)) return prefix;
  }
}

function keySelections(
  type: GraphQLObjectType,
  keys: EntityKeysOfSubgraph,
  prefix: string,
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

function keyFields(type: GraphQLObjectType, keys: EntityKeysOfSubgraph): readonly string[] | null {
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

function eventKey(data: unknown, prefix: string): string | null {
  const [root] = Object.values((data ?? {}) as Record<string, unknown>);
  if (typeof root !== 'object' || root === null) return null;
  const isKey = (name: string) => name.startsWith(prefix) && !name.endsWith(versionAlias);
  const keys = Object.entries(root).filter(([name]) => isKey(name));
  if (keys.length === 0 || keys.every(([, value]) => value === null)) return null;
  return JSON.stringify(keys);
}

function versionIn(data: unknown, alias: string): number | null {
  const [root] = Object.values((data ?? {}) as Record<string, Record<string, unknown> | null>);
  const version = root?.[alias];
  return typeof version === 'number' ? version : null;
}
