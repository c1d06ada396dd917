import type { GraphQLDataSource } from '@apollo/gateway';
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
import type { RouterContext } from '../context.js';
import type { Purpose } from '../subgraphs/subgraph-data-source.js';

const planCacheMaxBytes = 30 * 1024 * 1024;
const learnedNamesMax = 100;

/** @returns a data source that forwards to the given one and measures it */
export function createSubgraphTimer(registry: Registry) {
  const duration = new Histogram({
    name: 'holdfast_subgraph_request_seconds',
    help: 'Response time of subgraphs, by purpose (operations, or events of subscriptions) and outcome: ok, errors, or failed (no response).',
    labelNames: ['subgraph', 'purpose', 'outcome'],
    buckets: operationSeconds,
    registers: [registry],
  });
  return (
    subgraph: string,
    purpose: Purpose,
    source: GraphQLDataSource<RouterContext>,
  ): GraphQLDataSource<RouterContext> => ({
    async process(options) {
      const startedAt = performance.now();
      let outcome = 'failed';
      try {
        const answer = await source.process(options);
        outcome = answer.errors ? 'errors' : 'ok';
        return answer;
      } finally {
        duration.observe({ subgraph, purpose, outcome }, (performance.now() - startedAt) / 1000);
      }
    },
  });
}

/** The gateway's own cache of query plans, of its default size, with metrics. */
export function createPlanCache<Plan extends object>(registry: Registry) {
  const plans = new LRUCache<string, Plan>({
    maxSize: planCacheMaxBytes,
    sizeCalculation: (plan, key) => Buffer.byteLength(JSON.stringify(plan) + key, 'utf8'),
  });
  const lookups = new Counter({
    name: 'holdfast_plan_cache_lookups_total',
    help: 'Look-ups of query plans, by result: hit, miss.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const size = { name: 'holdfast_plan_cache_plans', help: 'Query plans in the cache.' };
  gaugeOf(registry, size, () => plans.size);
  return {
    async get(key: string): Promise<Plan | undefined> {
      const plan = plans.get(key);
      lookups.inc({ outcome: plan ? 'hit' : 'miss' });
      return plan;
    },
    async set(key: string, plan: Plan): Promise<void> {
      plans.set(key, plan);
    },
    async delete(key: string): Promise<boolean> {
      return plans.delete(key);
    },
    clear: () => plans.clear(),
  };
}

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
