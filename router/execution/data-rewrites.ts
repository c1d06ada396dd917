import type { GraphQLSchema } from 'graphql';
import { isObject, type JsonObject } from '../json-objects.js';
import { matchesType } from './data/type-conditions.js';
import type { Rewrite } from './query-plan.js';

const fragmentPrefix = '... on ';

export type ApplyRewrites = (value: unknown) => void;

/**
 * Compiles changes of a representation before it is sent, or of data that was received. An object without
 * `__typename` matches each condition.
 */
export function compileRewrites(
  schema: GraphQLSchema,
  rewrites: readonly Rewrite[] | undefined,
): ApplyRewrites | null {
  if (!rewrites || rewrites.length === 0) return null;
  const all = rewrites.map((rewrite) => compileRewrite(schema, rewrite));
  return (value) => {
    for (const apply of all) apply(value);
  };
}

function compileRewrite(schema: GraphQLSchema, rewrite: Rewrite): ApplyRewrites {
  const last = rewrite.path.at(-1) as string;
  const change =
    rewrite.kind === 'ValueSetter'
      ? setter(last, rewrite.setValueTo)
      : renamer(last, rewrite.renameKeyTo);
  return rewrite.path.slice(0, -1).reduceRight<ApplyRewrites>((next, element) => {
    if (!element.startsWith(fragmentPrefix)) {
      return eachObject((object) => next(object[element]));
    }
    const typeName = element.slice(fragmentPrefix.length);
    return eachObject((object) => {
      const actual = object.__typename;
      if (actual === undefined || matchesType(schema, actual, typeName)) next(object);
    });
  }, eachObject(change));
}

const eachObject = (work: (object: JsonObject) => void): ApplyRewrites =>
  function visit(value) {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) work(value);
  };

const setter = (key: string, value: unknown) => (object: JsonObject) => {
  object[key] = value;
};

const renamer = (from: string, to: string) => (object: JsonObject) => {
  if (object[from] === undefined) return;
  object[to] = object[from];
  delete object[from];
};
