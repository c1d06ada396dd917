import { type Library, startLibrary } from './harness/library.js';
import type { GraphQLReply } from './harness/system.js';
import { eventually } from './harness/wait.js';

const titles = '{ books { title } }';
const titlesAndStars = '{ books { title stars } }';
const rename = 'mutation ($title: String!) { rename(id: "1", title: $title) { title } }';

const codesAndPaths = ({ errors = [] }: GraphQLReply) =>
  errors.map(({ extensions, path }) => [extensions.code, path?.join('.')]);
const starsMissing = [
  ['TRY_AGAIN', 'books.0.stars'],
  ['TRY_AGAIN', 'books.1.stars'],
];

describe('the router with a subgraph that', () => {
  let library: Library;
  beforeAll(async () => {
    library = await startLibrary();
  });
  beforeEach(() => library.reset());
  afterEach(() => library.stopRouters());
  afterAll(() => library.stop());

  describe('receives identical queries at the same time', () => {
    /** Sends queries and waits until the router has forwarded them. */
    async function inFlight(
      router: Awaited<ReturnType<Library['startRouter']>>,
      times: number,
      send: () => void,
    ) {
      const planned = async () => {
        const text = await (await fetch(`${router.opsUrl}/metrics`)).text();
        const lookups = text.matchAll(/^holdfast_plan_cache_lookups_total\{.*\} (\d+)$/gm);
        return [...lookups].reduce((sum, [, count]) => sum + Number(count), 0);
      };
      const before = await planned();
      const release = library.books.withholdResponses();
      send();
      await eventually(planned, (now) => now === before + times);
      void router.ask('{ book(id: "9") { title } }');
      await eventually(
        async () => library.books.requests.at(-1)?.query,
        (last) => last?.includes('book(') === true,
      );
      return release;
    }
    const requests = () => library.books.requests.filter(({ query }) => query.includes('books'));

    it('sends one request for all clients without a token', async () => {
      const router = await library.startRouter();
      const replies: Promise<GraphQLReply>[] = [];
      const release = await inFlight(router, 5, () => {
        for (let n = 0; n < 5; n++) replies.push(router.ask(titles));
      });
      release();
      const all = await Promise.all(replies);
      expect(all.map(({ data }) => data.books.length)).toEqual([2, 2, 2, 2, 2]);
      expect(requests()).toHaveLength(1);
    });

    it('sends a request for each identity', async () => {
      const router = await library.startRouter();
      const tokens = [await library.tokenFor('ana'), await library.tokenFor('ben'), undefined];
      const replies: Promise<GraphQLReply>[] = [];
      const release = await inFlight(router, tokens.length, () => {
        for (const token of tokens) replies.push(router.ask(titles, {}, token));
      });
      release();
      await Promise.all(replies);
      const whose = requests().map(({ authorization }) => authorization?.replace('Bearer ', ''));
      expect(whose.toSorted()).toEqual(tokens.toSorted());
    });

    it('shows a client the effect of its own mutation', async () => {
      const router = await library.startRouter();
      const token = await library.tokenFor('ana');
      let before: Promise<GraphQLReply> | undefined;
      const release = await inFlight(router, 1, () => {
        before = router.ask(titles, {}, token);
      });
      const title = `Emma, ${Date.now()}`;
      await router.ask(rename, { title }, token);
      const after = router.ask(titles, {}, token);
      await eventually(
        async () => requests().length,
        (times) => times === 2,
      );
      release();
      expect((await before)?.data.books[0].title).not.toBe(title);
      expect((await after).data.books[0].title).toBe(title);
    });
  });

  describe('does not respond', () => {
    it('gives up after SUBGRAPH_TIMEOUT_MS without a retry, and returns the other data', async () => {
      const router = await library.startRouter({ SUBGRAPH_TIMEOUT_MS: '2500' });
      library.reviews.behave('hangs');
      const reply = await router.ask(titlesAndStars);
      expect(reply.data.books.map(({ stars }: { stars: number }) => stars)).toEqual([null, null]);
      expect(reply.data.books[1].title).toBe('Ulysses');
      expect(codesAndPaths(reply)).toEqual(starsMissing);
      expect(library.reviews.requests).toHaveLength(1);
    });

    it('gives up when the whole operation has taken OPERATION_TIMEOUT_MS', async () => {
      const settings = { SUBGRAPH_TIMEOUT_MS: '600000', OPERATION_TIMEOUT_MS: '2500' };
      const router = await library.startRouter(settings);
      library.reviews.behave('hangs');
      expect(codesAndPaths(await router.ask(titlesAndStars))).toEqual(starsMissing);
      library.books.behave('hangs');
      expect(codesAndPaths(await router.ask(titles))).toEqual([['TRY_AGAIN', 'books']]);
    });

    it('opens the circuit when most requests fail, and closes it when the subgraph is back', async () => {
      const router = await library.startRouter({ SUBGRAPH_TIMEOUT_MS: '4000' });
      library.reviews.behave('hangs');
      const query = 'query ($id: ID!) { book(id: $id) { stars } }';
      const stars = (id: number) => router.ask(query, { id });
      await Promise.all(Array.from({ length: 90 }, (_, id) => stars(id)));
      const requestsOfOne = async () => {
        const before = library.reviews.requests.length;
        const reply = await stars(1000);
        expect(codesAndPaths(reply)).toEqual([['TRY_AGAIN', 'book.stars']]);
        return library.reviews.requests.length - before;
      };
      await eventually(requestsOfOne, (times) => times === 0);
      library.reviews.behave('responds');
      await eventually(
        () => stars(5),
        ({ data }) => data?.book?.stars === 5,
      );
    });
  });

  describe('closes the connection', () => {
    it('sends a query once more', async () => {
      const router = await library.startRouter();
      library.books.behave('hangs up');
      expect(codesAndPaths(await router.ask(titles))).toEqual([['TRY_AGAIN', 'books']]);
      expect(library.books.requests).toHaveLength(2);
    });

    it('never sends a mutation twice', async () => {
      const router = await library.startRouter();
      library.books.behave('hangs up');
      const reply = await router.ask(rename, { title: 'Never' });
      expect(codesAndPaths(reply)).toEqual([['OUTCOME_UNKNOWN', 'rename']]);
      expect(library.books.requests).toHaveLength(1);
    });
  });
});
