import { Registry } from '../observability/metrics.js';
import { checkReadiness, exposeReadiness } from './readiness.js';

describe('the readiness of a process', () => {
  const asked: string[] = [];
  const checks = {
    supergraph: async () => asked.push('supergraph'),
    subgraphs: async () => {
      asked.push('subgraphs');
      throw new Error('no answer from order');
    },
    silent: () => new Promise(() => {}),
  };
  const ask = (query: string) => checkReadiness(checks, new URLSearchParams(query));
  beforeEach(() => asked.splice(0));

  it('is that of all its checks, each within its time', async () => {
    expect(await ask('')).toEqual({
      ready: false,
      results: { supergraph: true, subgraphs: false, silent: false },
    });
  });

  it('leaves out, and does not even ask, what is excluded', async () => {
    expect(await ask('exclude=subgraphs&exclude=silent')).toEqual({
      ready: true,
      results: { supergraph: true },
    });
    expect(asked).toEqual(['supergraph']);
  });

  it('tells which check there is none of, and goes by the others', async () => {
    expect(await ask('exclude=subgraphs&exclude=silent&exclude=toString')).toEqual({
      ready: true,
      results: { supergraph: true },
      unknown: ['toString'],
    });
  });

  it('is shown check by check to Prometheus', async () => {
    const registry = new Registry();
    exposeReadiness(registry, checks);
    const shown = await registry.getSingleMetricAsString('holdfast_ready');
    expect(shown).toContain('holdfast_ready{check="supergraph"} 1\n');
    expect(shown).toContain('holdfast_ready{check="subgraphs"} 0\n');
    expect(shown).toContain('holdfast_ready{check="silent"} 0');
  });
});
