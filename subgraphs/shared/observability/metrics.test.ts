import { gaugeOf, Registry } from './metrics.js';

describe('a gauge that is read at each scrape', () => {
  it('is NaN if its read fails or hangs, and does not block the others', async () => {
    const registry = new Registry();
    gaugeOf(registry, { name: 'hangs', help: 'h' }, () => new Promise<number>(() => {}));
    gaugeOf(registry, { name: 'fails', help: 'h' }, () => Promise.reject(new Error('no')));
    gaugeOf(registry, { name: 'works', help: 'h', label: 'of' }, () => ({ this: 1, that: 2 }));
    gaugeOf(registry, { name: 'pairs', help: 'h', label: ['of', 'as'] }, () => [
      { labels: { of: 'this', as: 'one' }, value: 3 },
    ]);
    const shown = (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
    expect(shown.filter(Boolean)).toEqual([
      'hangs Nan',
      'fails Nan',
      'works{of="this"} 1',
      'works{of="that"} 2',
      'pairs{of="this",as="one"} 3',
    ]);
  });
});
