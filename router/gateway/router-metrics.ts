import { LRUCache } from 'lru-cache';
import {
  Counter,
  gaugeOf,
  Histogram,
  type Registry,
} from '../../subgraphs/shared/observability/metrics.js';
import {
  type NameOperation,
  operationSeconds,
} from '../../subgraphs/shared/observability/operation-metrics.js';
import type { CompiledOperation } from '../execution/compile-operation.js';
import type { CompiledCache } from '../execution/executor.js';
import type { Purpose } from '../subgraphs/subgraph-data-source.js';
import type { SubgraphService } from '../subgraphs/subgraph-service.js';

const planCacheMaxBytes = 30 * 1024 * 1024;
const learnedNamesMax = 100;

/** @returns a subgraph that forwards to the given one and measures it */
export function createSubgraphTimer(registry: Registry) {
  const duration = new Histogram({
    name: 'holdfast_subgraph_request_seconds',
    help: 'Response time of subgraphs, by purpose (operations, or events of subscriptions) and outcome: ok, errors, or failed (no response).',
    labelNames: ['subgraph', 'purpose', 'outcome'],
    buckets: operationSeconds,
    registers: [registry],
  });
  return (subgraph: string, purpose: Purpose, service: SubgraphService): SubgraphService => {
    const measured = <T extends { readonly errors?: unknown }>(response: Promise<T>) => {
      const startedAt = performance.now();
      const observe = (outcome: string) =>
        duration.observe({ subgraph, purpose, outcome }, (performance.now() - startedAt) / 1000);
      return response.then(
        (answer) => {
          observe(answer.errors ? 'errors' : 'ok');
          return answer;
        },
        (error: unknown) => {
          observe('failed');
          throw error;
        },
      );
    };
    return {
      fetch: (request) => measured(service.fetch(request)),
      process: (options) => measured(service.process(options)),
    };
  };
}

/** The compiled operations, up to the memory that the gateway's own cache of plans may take, with metrics. */
export function createCompiledCache(registry: Registry) {
  let latest = openCache();
  const lookups = new Counter({
    name: 'holdfast_plan_cache_lookups_total',
    help: 'Look-ups of query plans, by result: hit, miss.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const size = { name: 'holdfast_plan_cache_plans', help: 'Query plans in the cache.' };
  gaugeOf(registry, size, () => latest.size);
  return {
    /**
     * An empty cache for the next supergraph. Operations that still run with the previous one keep theirs, which is
     * freed with them.
     */
    next(): CompiledCache {
      const own = openCache();
      latest = own;
      return {
        get(key) {
          const found = own.get(key);
          lookups.inc({ outcome: found ? 'hit' : 'miss' });
          return found;
        },
        set: (key, operation) => void own.set(key, operation),
      };
    },
  };
}

const openCache = () =>
  new LRUCache<string, CompiledOperation>({
    maxSize: planCacheMaxBytes,
    sizeCalculation: ({ sizeBytes }, key) => sizeBytes + key.length,
  });

/**
 * Labels of client operations: the known names, the first hundred others, `anonymous`, and `other` for the
 * rest, so that clients cannot make the metrics grow.
 */
export function nameOperations(known: Iterable<string>): NameOperation {
  const names = new Set(known);
  const max = names.size + learnedNamesMax;
  return ({ name }) => {
    if (!name) return 'anonymous';
    if (names.has(name.value)) return name.value;
    if (names.size >= max) return 'other';
    names.add(name.value);
    return name.value;
  };
}
