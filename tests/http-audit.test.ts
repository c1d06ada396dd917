import { auditServer } from 'graphql-http';
import { startSystem, type TestSystem } from './harness/system.js';

const okMin = 58;

describe('the router keeps to GraphQL over HTTP', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  it('as the audit of graphql-http sees it', async () => {
    const results = await auditServer({ url: system.url });
    const notOk = results.flatMap((each) =>
      each.status === 'ok' ? [] : [`${each.status}: ${each.name}: ${each.reason}`],
    );
    expect(results.length).toBeGreaterThanOrEqual(61);
    expect(notOk.filter((each) => each.startsWith('error'))).toEqual([]);
    if (results.length - notOk.length < okMin) throw new Error(notOk.join('\n'));
  });
});
