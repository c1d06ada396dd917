import type { GraphQLSchema } from 'graphql';
import { isObject, type JsonObject, ownValue } from '../json-objects.js';
import { mergeInto } from './data/merge.js';
import { matchesType } from './data/type-conditions.js';
import { compileRewrites } from './data-rewrites.js';
import type { RequiredField, RequiredSelection, Rewrite } from './query-plan.js';

/** @returns JSON text of the representation of an entity; null if the object lacks a required field */
export type WriteRepresentation = (entity: JsonObject) => string | null;

/** Compiles the selections of `requires` into a writer, once for each type that occurs. */
export function compileRepresentation(
  schema: GraphQLSchema,
  requires: readonly RequiredSelection[],
  inputRewrites: readonly Rewrite[] | undefined,
): WriteRepresentation {
  const rewrite = compileRewrites(schema, inputRewrites);
  const writers = new Map<unknown, WriteRepresentation>();
  const build = (entity: JsonObject): string | null => {
    const representation = select(schema, entity, requires);
    if (typeof representation?.__typename !== 'string') return null;
    rewrite?.(representation);
    return JSON.stringify(representation);
  };
  const writerFor = (typeName: unknown): WriteRepresentation => {
    const fragments = requires.filter(
      (each) =>
        each.kind === 'Field' ||
        (each.typeCondition !== undefined && matchesType(schema, typeName, each.typeCondition)),
    );
    if (fragments.length === 0) return () => null;
    const [only] = fragments;
    const isPlain =
      !rewrite &&
      fragments.length === 1 &&
      only?.kind === 'InlineFragment' &&
      only.selections.every((each) => each.kind === 'Field' && !each.selections);
    if (!isPlain) return build;
    return writePlain((only.selections as readonly RequiredField[]).map(keyOf));
  };
  return (entity) => {
    const typeName = entity.__typename;
    let write = writers.get(typeName);
    if (!write) {
      write = writerFor(typeName);
      writers.set(typeName, write);
    }
    return write(entity);
  };
}

const keyOf = ({ alias, name }: RequiredField): string => alias ?? name;

/** Writes fields without selections: those of nearly every key. */
function writePlain(keys: readonly string[]): WriteRepresentation {
  if (!keys.includes('__typename')) return () => null;
  const prefixes = keys.map((key, n) => `${n === 0 ? '{' : ','}${JSON.stringify(key)}:`);
  return (entity) => {
    let text = '';
    for (let n = 0; n < keys.length; n++) {
      const value = ownValue(entity, keys[n] as string);
      if (value === undefined) return null;
      text += prefixes[n] + JSON.stringify(value);
    }
    return `${text}}`;
  };
}

function select(
  schema: GraphQLSchema,
  source: unknown,
  selections: readonly RequiredSelection[],
): JsonObject | null {
  if (!isObject(source)) return null;
  const result: JsonObject = {};
  for (const selection of selections) {
    if (selection.kind === 'Field') {
      const value = ownValue(source, keyOf(selection));
      if (value === undefined) return null;
      const { selections: nested } = selection;
      result[keyOf(selection)] = nested ? selectIn(schema, value, nested) : value;
    } else if (
      selection.typeCondition !== undefined &&
      matchesType(schema, source.__typename, selection.typeCondition)
    ) {
      const selected = select(schema, source, selection.selections);
      if (selected) mergeInto(result, selected);
    }
  }
  return result;
}

const selectIn = (
  schema: GraphQLSchema,
  value: unknown,
  selections: readonly RequiredSelection[],
): unknown =>
  Array.isArray(value)
    ? value.map((each) => selectIn(schema, each, selections))
    : select(schema, value, selections);
