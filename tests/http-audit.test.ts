import { auditServer } from 'graphql-http';
import { startSystem, type TestSystem } from './harness/system.js';

const okMin = 58;

describe('the router complies with GraphQL over HTTP', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('according to the audit of graphql-http', async () => {
    const results = await auditServer({ url: system.url });
    const notOk = results.flatMap((each) =>
      each.status === 'ok' ? [] : [`${each.status}: ${each.name}: ${each.reason}`],
    );
    expect(results.length).toBeGreaterThanOrEqual(61);
    expect(notOk.filter((each) => each.startsWith('error'))).toEqual([]);
    if (results.length - notOk.length < okMin) throw new Error(notOk.join('\n'));
  });
});
