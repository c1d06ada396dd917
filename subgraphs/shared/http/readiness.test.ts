import { Registry } from '../observability/metrics.js';
import { checkReadiness, exposeReadiness } from './readiness.js';

describe('the readiness of a process', () => {
  const called: string[] = [];
  const checks = {
    supergraph: async () => called.push('supergraph'),
    subgraphs: async () => {
      called.push('subgraphs');
      throw new Error('order does not respond');
    },
    silent: () => new Promise(() => {}),
  };
  const check = (query: string) => checkReadiness(checks, new URLSearchParams(query));
  beforeEach(() => called.splice(0));

  it('is that of all its checks, each with a time limit', async () => {
    expect(await check('')).toEqual({
      ready: false,
      results: { supergraph: true, subgraphs: false, silent: false },
    });
  });

  it('does not call an excluded check', async () => {
    expect(await check('exclude=subgraphs&exclude=silent')).toEqual({
      ready: true,
      results: { supergraph: true },
    });
    expect(called).toEqual(['supergraph']);
  });

  it('reports an unknown check, and depends on the others', async () => {
    expect(await check('exclude=subgraphs&exclude=silent&exclude=toString')).toEqual({
      ready: true,
      results: { supergraph: true },
      unknown: ['toString'],
    });
  });

  it('is exposed to Prometheus, check by check', async () => {
    const registry = new Registry();
    exposeReadiness(registry, checks);
    const shown = await registry.getSingleMetricAsString('holdfast_ready');
    expect(shown).toContain('holdfast_ready{check="supergraph"} 1\n');
    expect(shown).toContain('holdfast_ready{check="subgraphs"} 0\n');
    expect(shown).toContain('holdfast_ready{check="silent"} 0');
  });
});
