import { jest } from '@jest/globals';
import type { SubgraphDataSource } from './subgraph-data-source.js';
import { SubgraphSources } from './subgraph-sources.js';

const built = (url: string) => {
  let closed = 0;
  const close = async () => {
    closed += 1;
  };
  const source = { close } as unknown as SubgraphDataSource;
  const respond = async () => ({ data: { url } });
  const service = { process: respond, fetch: respond };
  return { url, sources: [source], service, eventService: service, timesClosed: () => closed };
};

describe('the subgraphs of a reloaded supergraph', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('stay open after their removal until every operation that began with them has ended', async () => {
    const sources = new SubgraphSources(1000);
    const [kept, gone] = [built('http://kept'), built('http://gone')];
    sources.add('kept', kept);
    sources.add('gone', gone);
    sources.use(['kept', 'gone']);
    sources.use(['kept']);
    expect([...sources.urls]).toEqual([['kept', 'http://kept']]);
    expect([...sources.eventServices.keys()]).toEqual(['kept']);
    jest.advanceTimersByTime(999);
    expect(gone.timesClosed()).toBe(0);
    jest.advanceTimersByTime(1);
    expect([gone.timesClosed(), kept.timesClosed()]).toEqual([1, 0]);
  });

  it('move to a new address, and the connections to the old one are closed', () => {
    const sources = new SubgraphSources(1000);
    const [before, after] = [built('http://before'), built('http://after')];
    sources.add('part', before);
    sources.use(['part']);
    sources.add('part', after);
    sources.use(['part']);
    expect(sources.urls.get('part')).toBe('http://after');
    jest.advanceTimersByTime(1000);
    expect([before.timesClosed(), after.timesClosed()]).toEqual([1, 0]);
  });

  it('are used again when they return, although the gateway requests no second data source', () => {
    const sources = new SubgraphSources(1000);
    sources.add('part', built('http://part'));
    for (const names of [['part'], [], ['part']]) sources.use(names);
    expect(sources.urls.get('part')).toBe('http://part');
  });
});
