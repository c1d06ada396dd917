import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { startSystem, type TestSystem } from './harness/system.js';

interface Body {
  readonly data?: unknown;
  readonly errors: { message: string }[];
}

/** What scanners such as graphql-cop send, and look for in the answer, to a router in production. */
describe('in production, a scanner of GraphQL servers finds nothing', () => {
  let system: TestSystem;
  let url: string;
  beforeAll(async () => {
    system = await startSystem();
    url = (await startRouterBeside(system, { NODE_ENV: 'production' })).graphqlUrl;
  });
  afterAll(async () => {
    await stopRoutersBeside();
    await system.stop();
  });

  const send = async (body: unknown, type = 'application/json') => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type, accept: 'application/graphql-response+json' },
      body: text,
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const errorsOf = async (query: string) => (await send({ query })).body.errors;
  const messagesOf = async (query: string) => (await errorsOf(query)).map(({ message }) => message);
  const repeat = (n: number, text: string) => Array(n).fill(text).join(' ');

  it('ten unknown directives on a field are one error', async () => {
    const query = `query cop { __typename ${repeat(10, '@aa')} }`;
    expect(await messagesOf(query)).toEqual(['Directives limit of 8 exceeded, found 10.']);
  });

  it('a hundred aliases are one error', async () => {
    const aliases = Array.from({ length: 101 }, (_, n) => `alias${n}: __typename`).join(' ');
    const messages = await messagesOf(`query cop { ${aliases} }`);
    expect(messages).toEqual([expect.stringMatching('^Aliases limit of 15 exceeded')]);
  });

  it('a field that is repeated 500 times is one error', async () => {
    const messages = await messagesOf(`query cop { ${repeat(500, '__typename')} }`);
    expect(messages).toEqual(['Repeated fields limit of 15 exceeded.']);
  });

  it.each([
    '{ __schema { types { name } } }',
    '{ __type(name: "User") { name } }',
    '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
  ])('introspection is refused: %s', async (query) => {
    const { status, body } = await send({ query });
    expect(status).toBe(400);
    expect(body.data).toBeUndefined();
  });

  it('names of the schema are not suggested', async () => {
    const answers = JSON.stringify(await errorsOf('query cop { serverTim shop(ids: 1) { nam } }'));
    expect(answers).not.toMatch(/did you mean/i);
  });

  it('operations in an array are refused', async () => {
    const { status, body } = await send(Array(10).fill({ query: '{ __typename }' }));
    expect(status).toBe(400);
    expect(Array.isArray(body)).toBe(false);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain', 'application/graphql'])(
    'a POST of %s is answered 415',
    async (type) => {
      const body = type.includes('form') ? 'query=%7B__typename%7D' : '{ __typename }';
      const answer = await send(body, type);
      expect(answer.status).toBe(415);
      expect(answer.body.data).toBeUndefined();
    },
  );

  it('a GET of a page of another site, and of a mutation, is refused', async () => {
    const get = (query: string, headers = {}) =>
      fetch(`${url}?query=${encodeURIComponent(query)}`, { headers });
    expect((await get('{ __typename }')).status).toBe(400);
    const own = { 'apollo-require-preflight': '1' };
    expect((await get('{ __typename }', own)).status).toBe(200);
    expect((await get('mutation { __typename }', own)).status).toBe(405);
  });

  it('there is no page, no trace and no stack', async () => {
    for (const path of ['/graphiql', '/graphql', '/playground']) {
      const page = await fetch(url.replace('/graphql', path), { headers: { accept: 'text/html' } });
      expect(page.headers.get('content-type')).toContain('application/json');
    }
    const answer = JSON.stringify((await send({ query: '{ __typename }' })).body);
    expect(answer).toBe('{"data":{"__typename":"Query"}}');
    expect(JSON.stringify(await errorsOf('query cop { abc'))).not.toMatch(/stack|exception|\.js/);
  });
});
