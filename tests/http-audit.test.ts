import { auditServer } from 'graphql-http';
import { startSystem, type TestSystem } from './harness/system.js';

describe('the router complies with GraphQL over HTTP', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('according to all 61 audits of graphql-http, which send the header that GET requires', async () => {
    const fetchFn: typeof fetch = (input, init) =>
      fetch(input, { ...init, headers: { ...init?.headers, 'apollo-require-preflight': 'audit' } });
    const results = await auditServer({ url: system.url, fetchFn });
    const notOk = results.flatMap((each) =>
      each.status === 'ok' ? [] : [`${each.status}: ${each.name}: ${each.reason}`],
    );
    expect(notOk).toEqual([]);
    expect(results).toHaveLength(61);
  });

  it('without that header GET is refused, and nothing else differs', async () => {
    const results = await auditServer({ url: system.url });
    const notOk = results.filter(({ status }) => status !== 'ok');
    expect(notOk.map(({ status }) => status)).not.toContain('error');
    expect(notOk.filter(({ name }) => !name.includes('GET'))).toEqual([]);
  });
});
