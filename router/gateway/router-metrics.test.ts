import { createRegistry } from '../../subgraphs/shared/observability/metrics.js';
import { createCompiledCache } from './router-metrics.js';

describe('the cache of compiled operations', () => {
  it('of a supergraph has nothing of what is compiled late for the previous one', async () => {
    const registry = createRegistry('router');
    const plans = async () =>
      /^holdfast_plan_cache_plans\S* (\d+)$/m.exec(await registry.metrics())?.[1];
    const cache = createCompiledCache(registry);
    const operation = { kind: 'fallback', reason: 'unknown', sizeBytes: 1000 } as const;
    const previous = cache.next();
    previous.set('early', operation);
    expect(await plans()).toBe('1');
    const latest = cache.next();
    expect(await plans()).toBe('0');
    previous.set('late', operation);
    expect(await plans()).toBe('0');
    expect(['early', 'late'].map((key) => latest.get(key))).toEqual([undefined, undefined]);
    expect(previous.get('late')).toBe(operation);
  });
});
