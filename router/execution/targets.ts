import { isObject, type JsonObject, ownValue } from '../json-objects.js';
import type { ResponsePath } from './data/json.js';
import type { PlanPath } from './query-plan.js';

/** The objects at a path of a plan, in order; null and missing ones are left out. */
export function compileTargets(path: PlanPath): (data: JsonObject) => JsonObject[] {
  const elements = path.map(String);
  const collect = (value: unknown, depth: number, found: JsonObject[]): void => {
    if (depth === elements.length) {
      if (isObject(value)) found.push(value);
    } else if (elements[depth] === '@') {
      if (Array.isArray(value)) for (const each of value) collect(each, depth + 1, found);
    } else if (isObject(value)) {
      collect(ownValue(value, elements[depth] as string), depth + 1, found);
    }
  };
  return (data) => {
    const found: JsonObject[] = [];
    collect(data, 0, found);
    return found;
  };
}

/** The path of each object at a path of a plan. Each object is in one place only. */
export function locateTargets(data: JsonObject, path: PlanPath): Map<JsonObject, ResponsePath> {
  const located = new Map<JsonObject, ResponsePath>();
  const visit = (value: unknown, depth: number, at: ResponsePath): void => {
    if (depth === path.length) {
      if (isObject(value)) located.set(value, at);
    } else if (path[depth] === '@') {
      if (Array.isArray(value)) value.forEach((each, n) => void visit(each, depth + 1, [...at, n]));
    } else if (isObject(value)) {
      const key = path[depth] as string;
      visit(ownValue(value, key), depth + 1, [...at, key]);
    }
  };
  visit(data, 0, []);
  return located;
}
