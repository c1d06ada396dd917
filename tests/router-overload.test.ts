import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { type Library, startLibrary } from './harness/library.js';
import type { GraphQLReply } from './harness/system.js';
import { eventually } from './harness/wait.js';

const operationsMax = 3;
const rename = 'mutation Rename($title: String!) { rename(id: "1", title: $title) { title } }';
const bookQuery = (n: number) => `{ book(id: "${n}") { title } }`;

describe('a router that has as many operations as it can do', () => {
  let library: Library;
  let router: Awaited<ReturnType<Library['startRouter']>>;
  beforeAll(async () => {
    library = await startLibrary();
  });
  beforeEach(async () => {
    library.reset();
    router = await library.startRouter({ OPERATIONS_MAX: `${operationsMax}` });
  });
  afterEach(() => library.stopRouters());
  afterAll(() => library.stop());

  /** Lets as many queries as may run wait for their subgraph. @returns a function that ends them */
  async function fill() {
    const release = library.books.withholdResponses();
    const replies = Array.from({ length: operationsMax }, (_, n) => router.ask(bookQuery(n)));
    await eventually(
      async () => library.books.requests.length,
      (count) => count === operationsMax,
    );
    return async () => {
      release();
      for (const { errors } of await Promise.all(replies)) expect(errors).toBeUndefined();
    };
  }
  const refused = ({ status, errors = [], headers }: GraphQLReply) => ({
    status,
    code: errors[0]?.extensions.code,
    retryAfter: headers.get('retry-after'),
    requestId: errors[0]?.extensions.requestId === headers.get('x-request-id'),
  });
  const refusal = { status: 503, code: 'TRY_AGAIN', retryAfter: '1', requestId: true };
  const metric = async (name: string) => {
    const text = await (await fetch(`${router.opsUrl}/metrics`)).text();
    const lines = text.matchAll(new RegExp(`^${name}\\{class="(\\w+)".*\\} (\\d+)$`, 'gm'));
    return Object.fromEntries([...lines].map(([, name, value]) => [name, Number(value)]));
  };

  it('refuses one more with TRY_AGAIN without a request to a subgraph, and admits it after', async () => {
    const finish = await fill();
    expect(refused(await router.ask(bookQuery(7)))).toEqual(refusal);
    // Now that it is known that it is a query.
    expect(refused(await router.ask(bookQuery(7)))).toEqual(refusal);
    expect(library.books.requests).toHaveLength(operationsMax);
    expect(await metric('holdfast_operations_running')).toMatchObject({ query: operationsMax });
    expect(await metric('holdfast_operations_refused_total')).toEqual({ query: 2 });
    await finish();
    expect((await router.ask(bookQuery(7))).data).toEqual({ book: { title: 'Untitled' } });
    expect(await metric('holdfast_operations_running')).toEqual({
      query: 0,
      mutation: 0,
      payment: 0,
      unparsed: 0,
    });
  });

  it('executes mutations while too many queries run, also those that it sees for the first time', async () => {
    const finish = await fill();
    for (const title of ['Emma', 'Persuasion']) {
      expect((await router.ask(rename, { title })).data).toEqual({ rename: { title } });
    }
    await finish();
  });

  it('refuses a mutation that is one too many, and changes nothing', async () => {
    const release = library.books.withholdResponses({ mutations: true });
    const titles = Array.from({ length: operationsMax }, (_, n) => `Title ${n}`);
    const replies = titles.map((title) => router.ask(rename, { title }));
    await eventually(
      async () => library.books.requests.length,
      (count) => count === operationsMax,
    );
    expect(refused(await router.ask(rename, { title: 'Lost' }))).toEqual(refusal);
    release();
    await Promise.all(replies);
    const { data } = await router.ask(bookQuery(1));
    expect(titles).toContain(data.book.title);
  });

  it('knows that what is sent by GET is a query', async () => {
    const finish = await fill();
    const url = `${router.url}?${new URLSearchParams({ query: bookQuery(7) })}`;
    const headers = { 'apollo-require-preflight': 'true' };
    expect((await fetch(url, { headers })).status).toBe(503);
    expect(await metric('holdfast_operations_running')).toMatchObject({ mutation: 0, payment: 0 });
    await finish();
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it('refuses operations over a WebSocket, too', async () => {
    const finish = await fill();
    const client = createClient({ url: router.url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const send = async (query: string) => {
      for await (const result of client.iterate({ query })) return result;
    };
    const codes = { extensions: { code: 'TRY_AGAIN' } };
    await expect(send(bookQuery(7))).rejects.toMatchObject([codes]);
    await finish();
    expect(await send(bookQuery(7))).toMatchObject({ data: { book: { title: 'Untitled' } } });
    await client.dispose();
  });

  it('stays ready, and counts no subscription that is open', async () => {
    const abort = new AbortController();
    for (let n = 0; n < operationsMax + 1; n++) {
      const response = await fetch(router.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ query: 'subscription { renamed { id } }' }),
        signal: abort.signal,
      });
      expect(response.status).toBe(200);
    }
    const finish = await fill();
    for (const path of ['readyz', 'healthz']) {
      expect((await fetch(`${router.opsUrl}/${path}`)).status).toBe(200);
    }
    await finish();
    abort.abort();
  });
});
