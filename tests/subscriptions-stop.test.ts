import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient as createSseClient } from 'graphql-sse';
import WebSocket from 'ws';
import { type Library, startLibrary } from './harness/library.js';
import { gauge, keep, liveClients, overWebSocket, type Watch, wsUrl } from './harness/live.js';
import { eventually } from './harness/wait.js';

const rename = 'mutation ($title: String!) { rename(id: "1", title: $title) { title } }';
const renamed = 'subscription { renamed { id title } }';
const processMaxMs = 10_000;

describe('a connection that the router closes', () => {
  let library: Library;
  let router: Awaited<ReturnType<Library['startRouter']>>;
  beforeAll(async () => {
    library = await startLibrary();
  });
  beforeEach(async () => {
    library.reset();
    router = await library.startRouter();
  });
  afterEach(() => library.stopRouters());
  afterAll(() => library.stop());

  const open = (name: string) => gauge(router.opsUrl, `holdfast_${name}`);
  const mutations = () =>
    library.books.requests.filter(({ query }) => query.startsWith('mutation'));
  const hasRequests = (count: number) =>
    eventually(
      async () => library.books.requests.length,
      (times) => times === count,
    );
  const endOf = (watch: Watch) => eventually(async () => watch.ended(), Boolean);
  const isOpen = (count: number) =>
    eventually(
      () => open('subscription_upstreams'),
      (now) => now === count,
    );
  const publish = async (watch: Watch) => {
    const before = watch.seen.length;
    await eventually(
      () => router.ask(rename, { title: 'Emma' }),
      () => watch.seen.length > before,
    );
  };

  it('at a stop sends the result of a mutation first, and accepts no new operation', async () => {
    const client = overWebSocket(router.url);
    const release = library.books.withholdResponses({ mutations: true });
    const mutation = client.subscribe(rename, { title: 'Once' });
    await hasRequests(1);
    const stopped = router.stop();
    await sleep(100);
    client.subscribe('{ books { id } }');
    await sleep(200);
    release();
    await endOf(mutation);
    await stopped;
    expect(mutation.seen).toEqual([{ data: { rename: { title: 'Once' } } }]);
    expect(library.books.requests).toHaveLength(1);
    client.close();
  });

  it('at the expiry of its token sends the result of a mutation first', async () => {
    const token = await library.tokenFor('ana', '5s');
    // Otherwise the client would close the connection after the mutation.
    const keepsOpen = { lazy: false, onNonLazyError: () => {} };
    const client = overWebSocket(router.url, token, keepsOpen);
    const closed = new Promise((resolve) => {
      client.client.on('closed', (event) => resolve((event as { code: number }).code));
    });
    const release = library.books.withholdResponses({ mutations: true });
    const mutation = client.subscribe(rename, { title: 'Once more' });
    await hasRequests(1);
    await sleep(6000);
    release();
    await endOf(mutation);
    expect(mutation.seen).toEqual([{ data: { rename: { title: 'Once more' } } }]);
    expect(mutations()).toHaveLength(1);
    expect(await closed).toBe(4403);
    client.close();
  });

  it('is closed if the client uses an id twice, and leaves nothing open', async () => {
    const release = library.books.withholdResponses();
    const socket = new WebSocket(wsUrl(router.url), 'graphql-transport-ws');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const send = (message: object) => socket.send(JSON.stringify(message));
    const subscribe = (query: string) => send({ id: '1', type: 'subscribe', payload: { query } });
    socket.once('open', () => send({ type: 'connection_init' }));
    await new Promise((resolve) => socket.once('message', resolve));
    subscribe('{ books { id } }');
    await hasRequests(1);
    send({ id: '1', type: 'complete' });
    subscribe(renamed);
    await eventually(
      () => open('subscriptions_open'),
      (count) => count === 1 || socket.readyState === WebSocket.CLOSED,
    );
    release();
    await sleep(200);
    socket.close();
    expect(await closed).toBe(4409);
    await eventually(
      () => open('subscriptions_open'),
      (count) => count === 0,
    );
  });

  it('sends TRY_AGAIN over multipart at a stop', async () => {
    const watch = liveClients['@apollo/client, multipart']?.(router.url).subscribe(
      renamed,
    ) as Watch;
    await isOpen(1);
    await publish(watch);
    await router.stop();
    await eventually(
      async () => JSON.stringify([watch.seen.at(-1), watch.ended()]),
      (text) => text.includes('TRY_AGAIN') && text.includes('subscribe again'),
    );
  });

  it('is reopened by an SSE client after a stop', async () => {
    const { port: PORT } = new URL(router.url);
    const client = createSseClient({
      url: router.url,
      retryAttempts: Number.POSITIVE_INFINITY,
      retry: () => sleep(100),
    });
    const watch = keep((sink) => client.subscribe({ query: renamed }, sink as never));
    await isOpen(1);
    await publish(watch);
    await router.stop();
    router = await library.startRouter({ PORT });
    await isOpen(1);
    await publish(watch);
    expect(watch.ended()).toBe(null);
    client.dispose();
  });

  it.each(['text/event-stream', 'multipart/mixed;subscriptionSpec=1.0'])(
    'does not delay a stop if its client reads nothing: %s',
    async (accept) => {
      const body = JSON.stringify({ query: renamed });
      const { port } = new URL(router.url);
      const socket = connect(Number(port)).pause();
      socket.on('error', () => {});
      socket.write(
        `POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: ${accept}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      await isOpen(1);
      for (let n = 0; n < 200; n++) await router.ask(rename, { title: 'x'.repeat(80_000) });
      const late = sleep(processMaxMs - 2000, 'late', { ref: false });
      expect(await Promise.race([router.stop(), late])).toBeUndefined();
      socket.destroy();
    },
  );
});
