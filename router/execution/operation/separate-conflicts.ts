import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { badOperation } from '../../errors.js';
import { responseKey } from '../../graphql-ast.js';
import type { Operation } from './operation-document.js';
import type { RequiredFields } from './required-fields.js';
import { canonicalArguments, typename } from './rewrite-aliases.js';

interface Inputs {
  /** with hidden types */
  readonly schema: GraphQLSchema;
  readonly requires: RequiredFields;
}

/** What a field requires: a field of an object → its arguments. */
type Demands = Map<string, string>;

const message =
  'Fields of this operation need the same field with different arguments. Request them in separate queries.';
const refused = () => badOperation('GRAPHQL_VALIDATION_FAILED', message);

/**
 * Splits an operation whose fields disagree: their `@requires` names the same field with different arguments, which
 * the planner treats as one field. Each part is planned alone.
 *
 * @param operation in which no client alias equals the name of a field
 * @returns the operation itself if nothing disagrees
 * @throws GraphQLError for a mutation, which must not be sent twice, or for one field that disagrees with itself
 */
export function separateConflicts(inputs: Inputs, operation: Operation): readonly Operation[] {
  if (inputs.requires.size === 0) return [operation];
  const parts = partsOf(collectDemands(inputs, operation));
  const last = lastOf(parts);
  if (last === 0) return [operation];
  if (operation.definition.operation !== 'query') throw refused();
  const separate = Array.from({ length: last + 1 }, (_, part) => {
    return extractPart(operation, parts, part);
  });
  // A field within one that has to be separate can belong to another part.
  if (separate.some((each) => lastOf(partsOf(collectDemands(inputs, each))) > 0)) throw refused();
  return separate;
}

const lastOf = (parts: ReadonlyMap<string, number>) => Math.max(0, ...parts.values());

/** The demands of each field of an operation, by its path. */
function collectDemands({ schema, requires }: Inputs, { definition, fragments }: Operation) {
  const byPath = new Map<string, Demands>();

  const possibleTypes = (type: GraphQLCompositeType) =>
    isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
  const typeOfField = (type: GraphQLCompositeType, name: string) => {
    const field = 'getFields' in type ? type.getFields()[name] : undefined;
    const inner = field && getNamedType(field.type);
    return isCompositeType(inner) ? inner : undefined;
  };
  const demand = (demands: Demands, key: string, args: string, isAlternative: boolean): void => {
    const known = demands.get(key);
    if (known !== undefined && known !== args && !isAlternative) throw refused();
    demands.set(key, args);
  };
  /** Adds what the field `name` of objects at `path` requires, and what that requires. */
  const addRequired = (
    demands: Demands,
    type: GraphQLCompositeType,
    name: string,
    path: string,
    seen: ReadonlySet<string>,
  ): void => {
    for (const each of possibleTypes(type)) {
      const coordinate = `${each.name}.${name}`;
      const alternatives = requires.get(coordinate) ?? requires.get(`${type.name}.${name}`) ?? [];
      if (seen.has(coordinate)) continue;
      const next = new Set([...seen, coordinate]);
      const isAlternative = alternatives.length > 1;
      for (const set of alternatives) addSelections(demands, each, set, path, next, isAlternative);
    }
  };
  const addSelections = (
    demands: Demands,
    type: GraphQLCompositeType,
    { selections }: SelectionSetNode,
    path: string,
    seen: ReadonlySet<string>,
    isAlternative: boolean,
  ): void => {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        const name = node.name.value;
        for (const { name: typeName } of possibleTypes(type)) {
          demand(demands, `${path} ${typeName}.${name}`, canonicalArguments(node), isAlternative);
        }
        addRequired(demands, type, name, path, seen);
        const inner = typeOfField(type, name);
        if (!node.selectionSet || !inner) continue;
        const below = `${path}/${name}`;
        addSelections(demands, inner, node.selectionSet, below, seen, isAlternative);
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        const named = node.typeCondition && schema.getType(node.typeCondition.name.value);
        const inner = isCompositeType(named) ? named : type;
        addSelections(demands, inner, node.selectionSet, path, seen, isAlternative);
      }
    }
  };
  const visit = (set: SelectionSetNode, type: GraphQLCompositeType, path: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) visitField(node, type, path);
      else {
        const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
        const condition = fragment?.typeCondition?.name.value;
        const named = condition === undefined ? type : schema.getType(condition);
        if (fragment && isCompositeType(named)) visit(fragment.selectionSet, named, path);
      }
    }
  };
  const visitField = (node: FieldNode, type: GraphQLCompositeType, path: string): void => {
    const at = `${path}/${responseKey(node)}`;
    const demands: Demands = byPath.get(at) ?? new Map();
    addRequired(demands, type, node.name.value, path, new Set());
    if (demands.size > 0) byPath.set(at, demands);
    const inner = typeOfField(type, node.name.value);
    if (node.selectionSet && inner) visit(node.selectionSet, inner, at);
  };

  const root = schema.getRootType(definition.operation);
  if (root) visit(definition.selectionSet, root, '');
  return byPath;
}

/** The part of each field: the first one in which it agrees with all others. Fields without demands are in part 0. */
function partsOf(byPath: ReadonlyMap<string, Demands>): Map<string, number> {
  const parts = new Map<string, number>();
  const demandsOfPart: Demands[] = [];
  for (const [path, demands] of byPath) {
    const agrees = (others: Demands) =>
      [...demands].every(([key, args]) => (others.get(key) ?? args) === args);
    let part = demandsOfPart.findIndex(agrees);
    if (part < 0) part = demandsOfPart.push(new Map()) - 1;
    for (const [key, args] of demands) demandsOfPart[part]?.set(key, args);
    parts.set(path, part);
  }
  return parts;
}

/** The fields of one part and what is around them; part 0 has all that is in no other. */
function extractPart(
  { definition, fragments }: Operation,
  parts: ReadonlyMap<string, number>,
  part: number,
): Operation {
  /** @param around the part of what the selections are in */
  const extract = (
    { selections }: SelectionSetNode,
    path: string,
    around: number,
  ): SelectionNode[] =>
    selections.flatMap((node): SelectionNode[] => {
      if (node.kind === Kind.FIELD)
        return extractField(node, `${path}/${responseKey(node)}`, around);
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
      const inner = fragment ? extract(fragment.selectionSet, path, around) : [];
      if (!fragment || inner.length === 0) return [];
      const { typeCondition } = fragment;
      const directives = [...(fragment.directives ?? []), ...(node.directives ?? [])];
      return [
        {
          kind: Kind.INLINE_FRAGMENT,
          ...(typeCondition && { typeCondition }),
          directives: fragment === node ? (node.directives ?? []) : directives,
          selectionSet: setOf(inner),
        },
      ];
    });
  const extractField = (node: FieldNode, at: string, around: number): SelectionNode[] => {
    const own = parts.get(at) ?? around;
    const isOfPart = own === part;
    if (!node.selectionSet) return isOfPart ? [node] : [];
    const inner = extract(node.selectionSet, at, own);
    if (inner.length === 0 && !isOfPart) return [];
    return [{ ...node, selectionSet: setOf(inner.length > 0 ? inner : [typename]) }];
  };
  const selectionSet = setOf(extract(definition.selectionSet, '', 0));
  return { definition: { ...definition, selectionSet }, fragments: new Map() };
}

const setOf = (selections: readonly SelectionNode[]): SelectionSetNode => ({
  kind: Kind.SELECTION_SET,
  selections,
});
