import {
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLOutputType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql';
import { isObject, type JsonObject, ownValue, setOwn } from '../../json-objects.js';
import { collectFields, dependsOnType, nestedSets, type SelectionScope } from './collect-fields.js';
import { type Complete, Completion } from './completion.js';
import { leafCheck } from './leaf-checks.js';

/** @returns the client's data; null if an error leaves nothing of it. Errors are appended. */
export type Project = (data: JsonObject, errors: GraphQLError[]) => JsonObject | null;

interface FieldProjection {
  readonly key: string;
  /** key in the responses of the subgraphs */
  readonly source: string;
  /** whether objects without the key inherit a property of that name; for `__typename` it is not read */
  readonly isInherited?: boolean;
  readonly isNonNull: boolean;
  /** `Type.field`, for messages */
  readonly coordinate: string;
  /** the type of the object, for `__typename`; null if only its interface is known */
  readonly typename?: string | null;
  readonly isValid?: (value: unknown) => boolean;
  readonly complete?: Complete;
}

/** Compiles the shape of a response: what the client selected, in its order and with its keys. */
export function compileProjection(
  scope: SelectionScope,
  root: GraphQLCompositeType,
  selectionSet: SelectionSetNode,
  sourceOf: (node: FieldNode) => string,
): Project {
  const fieldsOf = (type: GraphQLCompositeType, sets: readonly SelectionSetNode[]) =>
    [...collectFields(scope, type, sets)].map(([key, nodes]) => fieldOf(type, key, nodes));

  function fieldOf(
    type: GraphQLCompositeType,
    key: string,
    nodes: readonly FieldNode[],
  ): FieldProjection {
    const [node] = nodes as [FieldNode];
    const name = node.name.value;
    const coordinate = `${type.name}.${name}`;
    const source = sourceOf(node);
    if (name === '__typename') {
      const typename = isObjectType(type) ? type.name : null;
      return { key, source, coordinate, isNonNull: true, typename };
    }
    const definition = 'getFields' in type ? type.getFields()[name] : undefined;
    if (!definition) throw new Error(`unknown field ${coordinate}`);
    const isNonNull = isNonNullType(definition.type);
    const bare = isNonNullType(definition.type) ? definition.type.ofType : definition.type;
    const isInherited = source in Object.prototype;
    const shared = { key, source, isInherited, coordinate, isNonNull };
    if (isLeafType(bare)) return { ...shared, isValid: leafCheck(bare) };
    return { ...shared, complete: completeOf(bare, nestedSets(nodes), coordinate) };
  }

  function completeOf(
    type: GraphQLOutputType,
    sets: readonly SelectionSetNode[],
    coordinate: string,
  ): Complete {
    if (isListType(type)) {
      const { ofType } = type;
      const item = isNonNullType(ofType) ? ofType.ofType : ofType;
      return completeList(completeOf(item, sets, coordinate), isNonNullType(ofType), coordinate);
    }
    if (isLeafType(type)) {
      const isValid = leafCheck(type);
      return (value, state) =>
        isValid(value) ? value : state.report(`Invalid value found for ${coordinate}.`);
    }
    if (isAbstractType(type)) return completeAbstract(type, sets, coordinate);
    if (!isObjectType(type)) throw new Error(`unexpected type ${type}`);
    const complete = completeObject(fieldsOf(type, sets), coordinate);
    return (value, state) => {
      const typename = (value as JsonObject).__typename;
      return typename === undefined || typename === type.name
        ? complete(value, state)
        : state.report(`Invalid __typename found for ${coordinate}.`);
    };
  }

  /** The fields of each type that occurs are compiled when it first occurs. */
  function completeAbstract(
    type: GraphQLCompositeType,
    sets: readonly SelectionSetNode[],
    coordinate: string,
  ): Complete {
    const { schema } = scope;
    const byType = new Map<unknown, Complete>();
    const compile = (typename: unknown): Complete => {
      // A subgraph may know no more of it than its interface.
      const actual = typename === undefined ? type : schema.getType(String(typename));
      const isPossible =
        isCompositeType(actual) &&
        (actual === type ||
          (isAbstractType(type) &&
            (isObjectType(actual) || isInterfaceType(actual)) &&
            schema.isSubType(type, actual)));
      if (!isPossible)
        return (_, state) => state.report(`Invalid __typename found for ${coordinate}.`);
      if (!isObjectType(actual) && dependsOnType(scope, actual, sets)) {
        return (_, state) => state.report(`The type of ${coordinate} is not known.`);
      }
      return completeObject(fieldsOf(actual, sets), coordinate);
    };
    return (value, state) => {
      const typename = (value as JsonObject).__typename;
      let complete = byType.get(typename);
      if (!complete) {
        complete = compile(typename);
        byType.set(typename, complete);
      }
      return complete(value, state);
    };
  }

  const complete = completeObject(fieldsOf(root, [selectionSet]), root.name);
  return (data, errors) => (complete(data, new Completion(errors)) ?? null) as JsonObject | null;
}

function completeList(complete: Complete, isNonNull: boolean, coordinate: string): Complete {
  return (list, state) => {
    if (!Array.isArray(list)) return state.report(`Expected a list for ${coordinate}.`);
    const completed = new Array<unknown>(list.length);
    for (let n = 0; n < list.length; n++) {
      const value = list[n];
      let item: unknown = null;
      if (value !== null && value !== undefined) {
        state.path[state.depth++] = n;
        item = complete(value, state);
        state.depth--;
      }
      if (item === null || item === undefined) {
        if (isNonNull) {
          if (item === null) state.report(cannotBeNull(coordinate), n);
          return undefined;
        }
        item = null;
      }
      completed[n] = item;
    }
    return completed;
  };
}

function completeObject(fields: readonly FieldProjection[], coordinate: string): Complete {
  return (source, state) => {
    if (!isObject(source)) return state.report(`Expected an object for ${coordinate}.`);
    const completed: JsonObject = {};
    for (let n = 0; n < fields.length; n++) {
      const field = fields[n] as FieldProjection;
      const value = completeField(field, source, state);
      if (value === null || value === undefined) {
        if (field.isNonNull) {
          if (value === null) state.report(cannotBeNull(field.coordinate), field.key);
          return undefined;
        }
        setOwn(completed, field.key, null);
      } else {
        setOwn(completed, field.key, value);
      }
    }
    return completed;
  };
}

function completeField(field: FieldProjection, source: JsonObject, state: Completion): unknown {
  if (field.typename !== undefined) return field.typename;
  const value = field.isInherited ? ownValue(source, field.source) : source[field.source];
  if (value === null || value === undefined) return null;
  if (field.isValid) {
    return field.isValid(value)
      ? value
      : state.report(`Invalid value found for ${field.coordinate}.`, field.key);
  }
  state.path[state.depth++] = field.key;
  const completed = (field.complete as Complete)(value, state);
  state.depth--;
  return completed;
}

const cannotBeNull = (coordinate: string) =>
  `Cannot return null for non-nullable field ${coordinate}.`;
