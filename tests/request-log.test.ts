import { jest } from '@jest/globals';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

interface Line {
  readonly name: string;
  readonly msg: string;
  readonly sampled: number;
  readonly errors?: string[];
  readonly requestId?: string;
}

describe('the request log of router and subgraphs', () => {
  let system: TestSystem;
  let lines: Line[] = [];
  beforeAll(async () => {
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      const written = String(text).split('\n').filter(Boolean);
      lines.push(...written.map((line) => JSON.parse(line) as Line));
      return true;
    });
    const settings = { LOG_REQUESTS_PER_SECOND: '0', LOG_SLOW_MS: '60000' };
    system = await startSystem({ LOG_LEVEL: 'info', ...settings });
  });
  beforeEach(() => {
    lines = [];
  });
  afterAll(async () => {
    await system.stop();
    jest.restoreAllMocks();
  });

  const ofRequests = () => lines.filter(({ msg }) => msg.startsWith('request'));

  it('has each request with a GraphQL error, in both processes, with its codes', async () => {
    const { errors } = await system.graphql('{ orders(first: 1) { pageInfo { hasNextPage } } }');
    const requestId = errors?.[0]?.extensions.requestId;
    const own = () => ofRequests().filter((line) => line.requestId === requestId);
    const logged = await eventually(
      async () => own(),
      (all) => all.length === 2,
    );
    const codes = errors?.map(({ extensions }) => extensions.code);
    expect(logged.map(({ name }) => name).sort()).toEqual(['order', 'router']);
    for (const line of logged) expect(line).toMatchObject({ errors: codes, sampled: 1 });
  });

  it('counts the others, except files of the store', async () => {
    for (let n = 0; n < 5; n++) await fetch(new URL('/config.json', system.url));
    for (let n = 0; n < 20; n++) await system.graphql('{ serverTime }');
    const counted = () => ofRequests().filter(({ name }) => name === 'router');
    const sum = () => counted().reduce((total, { sampled }) => total + sampled, 0);
    await eventually(
      async () => sum(),
      (requests) => requests >= 20,
    );
    expect(new Set(counted().map(({ msg }) => msg))).toEqual(new Set(['requests']));
    expect(sum()).toBe(20);
  });
});
