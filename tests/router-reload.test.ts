import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  booksSdl,
  booksWithNameSdl,
  type Library,
  reviewsSdl,
  startLibrary,
} from './harness/library.js';
import { overWebSocket } from './harness/live.js';
import type { GraphQLReply } from './harness/system.js';
import { eventually } from './harness/wait.js';

const all = { 'library-books': booksSdl, 'reader-reviews': reviewsSdl };
const onlyBooks = { 'library-books': booksSdl };
const withName = { ...all, 'library-books': booksWithNameSdl };

describe('a supergraph file that changes', () => {
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

  const isThere = (field: string) =>
    eventually(
      () => router.ask(`{ books { ${field} } }`),
      ({ errors }) => errors === undefined,
    );
  const isGone = (field: string) =>
    eventually(
      () => router.ask(`{ books { ${field} } }`),
      ({ status }) => status === 400,
    );
  const readiness = async () => (await fetch(`${router.opsUrl}/readyz`)).status;
  const metrics = async () => (await fetch(`${router.opsUrl}/metrics`)).text();

  it('is loaded while requests run, and none of them fails', async () => {
    let changed = false;
    const failed: GraphQLReply[] = [];
    const client = async () => {
      while (!changed) {
        const reply = await router.ask('{ books { title stars } }');
        if (reply.errors) failed.push(reply);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    library.write(library.compose(withName));
    await isThere('name').finally(() => {
      changed = true;
    });
    await Promise.all(clients);
    expect(failed).toEqual([]);
  });

  it('is not loaded if it is invalid: the last one remains, and the next valid one is loaded', async () => {
    for (const broken of ['type Query {', 'type Query { books: Int }', '']) {
      library.write(broken);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      const { errors } = await router.ask('{ books { title stars } }');
      expect(errors).toBeUndefined();
    }
    library.write(library.compose(withName));
    await isThere('name');
  });

  it('removes a subgraph from the readiness check, and adds it again when it returns', async () => {
    await router.ask('{ books { stars } }');
    library.reviews.behave('hangs up');
    await eventually(readiness, (status) => status === 503);
    library.write(library.compose(onlyBooks));
    await eventually(readiness, (status) => status === 200);
    expect(await metrics()).not.toMatch(/subgraph_up\{[^}]*reader-reviews/);
    await isGone('stars');
    library.write(library.compose(all));
    await eventually(readiness, (status) => status === 503);
    library.reviews.behave('responds');
    await eventually(readiness, (status) => status === 200);
    await isThere('stars');
  });

  it('clears the plans of the previous one', async () => {
    const plans = async () =>
      Number(/^holdfast_plan_cache_plans\S* (\d+)$/m.exec(await metrics())?.[1]);
    await router.ask('{ books { title } }');
    expect(await plans()).toBe(1);
    library.write(library.compose(withName));
    await eventually(plans, (count) => count === 0);
  });

  it('ends subscriptions with SUBSCRIPTION_SCHEMA_RELOAD, and they can be opened again', async () => {
    const client = overWebSocket(router.url);
    const renamed = 'subscription { renamed { title stars } }';
    const rename = () => router.ask('mutation { rename(id: "1", title: "Emma") { id } }');
    const first = client.subscribe(renamed);
    const receivesEvent = (watch: typeof first) => eventually(rename, () => watch.seen.length > 0);
    await receivesEvent(first);
    library.write(library.compose(withName));
    await eventually(
      async () => first.ended(),
      (end) => end !== null,
    );
    expect(JSON.stringify(first.ended())).toContain('SUBSCRIPTION_SCHEMA_RELOAD');
    const again = client.subscribe('subscription { renamed { title name stars } }');
    await receivesEvent(again);
    client.close();
  });

  it('is loaded with the public fields, which decide who may share a subscription', async () => {
    const client = overWebSocket(router.url, await library.tokenFor('ana'));
    const other = overWebSocket(router.url, await library.tokenFor('ben'));
    const upstreams = async () =>
      Number(/^holdfast_subscription_upstreams\S* (\d+)$/m.exec(await metrics())?.[1]);
    const query = 'subscription { renamed { title } }';
    const open = () => [client.subscribe(query), other.subscribe(query)];
    open();
    await eventually(upstreams, (count) => count === 2);
    const publicFields = ['Subscription.renamed', 'Book.title'];
    writeFileSync(join(library.folder, 'supergraph-facts.json'), JSON.stringify({ publicFields }));
    library.write(library.compose(withName));
    await isThere('name');
    await eventually(upstreams, (count) => count === 0);
    open();
    await eventually(upstreams, (count) => count === 1);
    writeFileSync(join(library.folder, 'supergraph-facts.json'), '{}');
    await eventually(upstreams, (count) => count === 0);
    open();
    await eventually(upstreams, (count) => count === 2);
    client.close();
    other.close();
  });

  it('is used with new facts at once, also if only these change', async () => {
    const token = await library.tokenFor('ana');
    const starsAreReadBy = async () => {
      library.reviews.requests.length = 0;
      await router.ask('{ books { stars } }', {}, token);
      return library.reviews.requests.map(({ authorization }) => authorization);
    };
    const textOf = async () => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ query: '{ books { title } }' });
      return (await fetch(router.url, { method: 'POST', headers, body })).text();
    };
    // The router ends what it writes itself with a line break.
    expect(await textOf()).toMatch(/\}\n$/);
    expect(await starsAreReadBy()).toEqual([`Bearer ${token}`]);
    const facts = { publicFields: ['Book.stars'], errorsFirst: ['library-books'] };
    const file = join(library.folder, 'supergraph-facts.json');
    writeFileSync(file, JSON.stringify(facts));
    await eventually(starsAreReadBy, ([authorization]) => authorization === undefined);
    expect(await textOf()).toMatch(/\}$/);
    writeFileSync(file, '{}');
    await eventually(starsAreReadBy, ([authorization]) => authorization !== undefined);
    expect(await textOf()).toMatch(/\}\n$/);
  });
});
