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

describe('the router and subgraphs that', () => {
  let library: Library;
  beforeAll(async () => {
    library = await startLibrary();
  });
  beforeEach(() => library.reset());
  afterEach(() => library.stopRouters());
  afterAll(() => library.stop());

  describe('are asked the same at the same time', () => {
    /** Asks, and waits until the router must have sent all of it on. */
    async function inFlight(
      router: Awaited<ReturnType<Library['startRouter']>>,
      times: number,
      ask: () => void,
    ) {
      const planned = async () => {
        const text = await (await fetch(`${router.opsUrl}/metrics`)).text();
        const lookups = text.matchAll(/^holdfast_plan_cache_lookups_total\{.*\} (\d+)$/gm);
        return [...lookups].reduce((sum, [, count]) => sum + Number(count), 0);
      };
      const before = await planned();
      const letGo = library.books.hold();
      ask();
      await eventually(planned, (now) => now === before + times);
      void router.ask('{ book(id: "9") { title } }');
      await eventually(
        async () => library.books.asked.at(-1)?.query,
        (last) => last?.includes('book(') === true,
      );
      return letGo;
    }
    const asked = () => library.books.asked.filter(({ query }) => query.includes('books'));

    it('are asked once for one identity', async () => {
      const router = await library.startRouter();
      const token = await library.tokenFor('ana');
      const replies: Promise<GraphQLReply>[] = [];
      const letGo = await inFlight(router, 5, () => {
        for (let n = 0; n < 5; n++) replies.push(router.ask(titles, {}, token));
      });
      letGo();
      const all = await Promise.all(replies);
      expect(all.map(({ data }) => data.books.length)).toEqual([2, 2, 2, 2, 2]);
      expect(asked()).toHaveLength(1);
    });

    it('are asked for each identity by itself', async () => {
      const router = await library.startRouter();
      const tokens = [await library.tokenFor('ana'), await library.tokenFor('ben'), undefined];
      const replies: Promise<GraphQLReply>[] = [];
      const letGo = await inFlight(router, tokens.length, () => {
        for (const token of tokens) replies.push(router.ask(titles, {}, token));
      });
      letGo();
      await Promise.all(replies);
      const whose = asked().map(({ authorization }) => authorization?.replace('Bearer ', ''));
      expect(whose.toSorted()).toEqual(tokens.toSorted());
    });

    it('show who wrote something what was written', async () => {
      const router = await library.startRouter();
      const token = await library.tokenFor('ana');
      let before: Promise<GraphQLReply> | undefined;
      const letGo = await inFlight(router, 1, () => {
        before = router.ask(titles, {}, token);
      });
      const title = `Emma, ${Date.now()}`;
      await router.ask(rename, { title }, token);
      const after = router.ask(titles, {}, token);
      await eventually(
        async () => asked().length,
        (times) => times === 2,
      );
      letGo();
      expect((await before)?.data.books[0].title).not.toBe(title);
      expect((await after).data.books[0].title).toBe(title);
    });
  });

  describe('do not answer', () => {
    it('are given up after SUBGRAPH_TIMEOUT_MS and not asked again; the rest is answered', async () => {
      const router = await library.startRouter({ SUBGRAPH_TIMEOUT_MS: '2500' });
      library.reviews.behave('hangs');
      const reply = await router.ask(titlesAndStars);
      expect(reply.data.books.map(({ stars }: { stars: number }) => stars)).toEqual([null, null]);
      expect(reply.data.books[1].title).toBe('Ulysses');
      expect(codesAndPaths(reply)).toEqual(starsMissing);
      expect(library.reviews.asked).toHaveLength(1);
    });

    it('are given up when the operation as a whole took OPERATION_TIMEOUT_MS', async () => {
      const settings = { SUBGRAPH_TIMEOUT_MS: '600000', OPERATION_TIMEOUT_MS: '2500' };
      const router = await library.startRouter(settings);
      library.reviews.behave('hangs');
      expect(codesAndPaths(await router.ask(titlesAndStars))).toEqual(starsMissing);
      library.books.behave('hangs');
      expect(codesAndPaths(await router.ask(titles))).toEqual([['TRY_AGAIN', 'books']]);
    });

    it('are let alone once most do not answer, and asked again when they are back', async () => {
      const router = await library.startRouter({ SUBGRAPH_TIMEOUT_MS: '4000' });
      library.reviews.behave('hangs');
      const query = 'query ($id: ID!) { book(id: $id) { stars } }';
      const stars = (id: number) => router.ask(query, { id });
      await Promise.all(Array.from({ length: 90 }, (_, id) => stars(id)));
      const timesAsked = async () => {
        const before = library.reviews.asked.length;
        const reply = await stars(1000);
        expect(codesAndPaths(reply)).toEqual([['TRY_AGAIN', 'book.stars']]);
        return library.reviews.asked.length - before;
      };
      await eventually(timesAsked, (times) => times === 0);
      library.reviews.behave('answers');
      await eventually(
        () => stars(5),
        ({ data }) => data?.book?.stars === 5,
      );
    });
  });

  describe('hang up', () => {
    it('are asked a query once more', async () => {
      const router = await library.startRouter();
      library.books.behave('hangs up');
      expect(codesAndPaths(await router.ask(titles))).toEqual([['TRY_AGAIN', 'books']]);
      expect(library.books.asked).toHaveLength(2);
    });

    it('are never sent a mutation again', async () => {
      const router = await library.startRouter();
      library.books.behave('hangs up');
      const reply = await router.ask(rename, { title: 'Never' });
      expect(codesAndPaths(reply)).toEqual([['TRY_AGAIN', 'rename']]);
      expect(library.books.asked).toHaveLength(1);
    });
  });
});
