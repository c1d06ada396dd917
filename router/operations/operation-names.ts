import type { NameOperation } from '../../subgraphs/shared/observability/operation-metrics.js';

const learnedMax = 100;

/**
 * The labels of clients' operations: the names that are known from the start, the first hundred
 * others that come, `anonymous`, and `other` for all the rest, so that no client makes metrics grow.
 */
export function nameOperations(known: Iterable<string>): NameOperation {
  const names = new Set(known);
  const max = names.size + learnedMax;
  return ({ name }) => {
    if (!name) return 'anonymous';
    if (names.has(name.value)) return name.value;
    if (names.size >= max) return 'other';
    names.add(name.value);
    return name.value;
  };
}
