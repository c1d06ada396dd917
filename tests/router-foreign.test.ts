import { createHash } from 'node:crypto';
import { type Library, startLibrary } from './harness/library.js';
import { overWebSocket } from './harness/live.js';
import type { GraphQLReply } from './harness/system.js';
import { eventually } from './harness/wait.js';

const hashOf = (query: string) => createHash('sha256').update(query).digest('hex');
const extensionsOf = (query: string) => ({
  persistedQuery: { version: 1, sha256Hash: hashOf(query) },
});
const codesOf = ({ errors = [] }: GraphQLReply) => errors.map(({ extensions }) => extensions.code);

describe('the router with another supergraph', () => {
  let library: Library;
  let router: Awaited<ReturnType<Library['startRouter']>>;
  beforeAll(async () => {
    library = await startLibrary();
    router = await library.startRouter();
  });
  afterAll(async () => {
    await library.stopRouters();
    await library.stop();
  });

  it('executes queries over two subgraphs at the addresses of the environment', async () => {
    const { data, errors } = await router.ask('{ books { title stars } }');
    expect(errors).toBeUndefined();
    expect(data.books).toContainEqual({ title: 'Ulysses', stars: 2 });
  });

  it('executes mutations', async () => {
    const rename = 'mutation { rename(id: "2", title: "Dubliners") { title stars } }';
    expect((await router.ask(rename)).data.rename).toEqual({ title: 'Dubliners', stars: 2 });
  });

  it('executes subscriptions over two subgraphs', async () => {
    const client = overWebSocket(router.url);
    const watch = client.subscribe('subscription { renamed { title stars } }');
    let n = 0;
    await eventually(
      async () => {
        n += 1;
        await router.ask(`mutation { rename(id: "1", title: "Persuasion ${n}") { id } }`);
        return watch.seen;
      },
      (seen) => seen.length > 0,
    );
    const { renamed } = watch.seen[0]?.data ?? {};
    expect(renamed).toEqual({ title: expect.stringContaining('Persuasion'), stars: 1 });
    client.close();
  });

  it.each([
    [
      'without a code, as a fault',
      'faulty',
      {
        message: 'Something went wrong on our side.',
        extensions: { code: 'INTERNAL_SERVER_ERROR' },
      },
    ],
    [
      'with a code, with the extensions that the API documents',
      'refused',
      {
        message: 'The book is on loan.',
        extensions: { code: 'ON_LOAN', fields: { id: 'is on loan' }, retryAfterMs: 5 },
      },
    ],
  ])('answers an error of a subgraph %s', async (_, id, { message, extensions }) => {
    const query = `{ book(id: "${id}") { title } }`;
    const requestId = expect.any(String);
    const error = { message, path: ['book'], extensions: { ...extensions, requestId } };
    for (const more of ['', ' __schema { description }']) {
      const { status, errors } = await router.ask(query.replace(/ }$/, `${more} }`));
      expect([status, errors]).toEqual([200, [error]]);
    }
  });

  it('does not start if a subgraph has no address, and names the variable', async () => {
    const supergraph = library.compose({ 'a-b.c': 'type Query { a: Int }' });
    library.write(supergraph.replace('http://nowhere.invalid/graphql', ''));
    await expect(library.startRouter()).rejects.toThrow('SUBGRAPH_URL_A_B_C');
    await expect(library.startRouter({ SUBGRAPH_URL_A_B_C: 'here' })).rejects.toThrow(
      'SUBGRAPH_URL_A_B_C is malformed',
    );
    library.reset();
  });
});

describe('a persisted query', () => {
  let library: Library;
  let router: Awaited<ReturnType<Library['startRouter']>>;
  beforeAll(async () => {
    library = await startLibrary();
    router = await library.startRouter();
  });
  afterAll(async () => {
    await library.stopRouters();
    await library.stop();
  });

  async function send(body: object): Promise<GraphQLReply> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await fetch(router.url, request)).json() as Promise<GraphQLReply>;
  }
  async function get(parameters: Record<string, string>): Promise<GraphQLReply> {
    const headers = { 'apollo-require-preflight': '1' };
    const response = await fetch(`${router.url}?${new URLSearchParams(parameters)}`, { headers });
    return response.json() as Promise<GraphQLReply>;
  }

  it('is sent once with its text, and afterwards by its hash', async () => {
    const query = '{ books { id } }';
    const extensions = extensionsOf(query);
    expect(codesOf(await send({ extensions }))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect((await send({ query, extensions })).data.books).toHaveLength(2);
    expect((await send({ extensions })).data.books).toHaveLength(2);
  });

  it('may be sent by GET', async () => {
    const query = '{ books { stars } }';
    const extensions = JSON.stringify(extensionsOf(query));
    expect(codesOf(await get({ extensions }))).toEqual(['PERSISTED_QUERY_NOT_FOUND']);
    expect((await get({ query, extensions })).data.books).toHaveLength(2);
    expect((await get({ extensions })).data.books).toHaveLength(2);
  });

  it('is refused with the hash of another query', async () => {
    const extensions = extensionsOf('{ books { id } }');
    const reply = await send({ query: '{ books { title } }', extensions });
    expect(reply.errors?.[0]?.message).toBe('provided sha does not match query');
  });

  it('has the same limits as any other query, each time', async () => {
    const aliases = Array.from({ length: 16 }, (_, n) => `a${n}: title`).join(' ');
    const query = `{ books { ${aliases} } }`;
    const extensions = extensionsOf(query);
    expect(codesOf(await send({ query, extensions }))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    const again = codesOf(await send({ extensions }));
    expect(['GRAPHQL_VALIDATION_FAILED', 'PERSISTED_QUERY_NOT_FOUND']).toContain(again[0]);
  });
});
