import { Redis } from 'ioredis';
import { closeRedis } from '../subgraphs/shared/runtime/redis.js';
import { type Library, startLibrary } from './harness/library.js';
import { type Answer, overWebSocket, type Watch } from './harness/live.js';
import { openShop, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const codeOf = (answer: Answer | undefined) => answer?.errors?.[0]?.extensions?.code;

describe('spectators', () => {
  describe('whose events cannot be completed', () => {
    let library: Library;
    beforeAll(async () => {
      library = await startLibrary();
    });
    afterAll(async () => {
      await library.stopRouters();
      await library.stop();
    });

    it('open no circuit for queries', async () => {
      const router = await library.startRouter();
      const clients = Array.from({ length: 4 }, () => overWebSocket(router.url));
      // Each is an upstream with events of its own.
      const watches = Array.from({ length: 100 }, (_, n) =>
        clients[n % 4]?.subscribe(`subscription { renamed { id s${n}: stars } }`),
      ) as Watch[];
      const rename = 'mutation { rename(id: "1", title: "Emma") { id } }';
      const hasSeen = async (is: (answer: Answer | undefined) => boolean) =>
        watches.every(({ seen }) => is(seen.at(-1)));
      await eventually(
        async () => {
          await router.ask(rename);
          return hasSeen((answer) => answer !== undefined);
        },
        (all) => all,
      );
      library.reviews.behave('hangs up');
      const requestsOfEvents = async () => {
        const before = library.reviews.requests.length;
        const events = watches[0]?.seen.length ?? 0;
        await router.ask(rename);
        await eventually(
          async () => watches[0]?.seen.length ?? 0,
          (count) => count > events,
        );
        return library.reviews.requests.length - before;
      };
      await router.ask(rename);
      await eventually(() => hasSeen((answer) => codeOf(answer) === 'TRY_AGAIN'), Boolean);
      await eventually(requestsOfEvents, (count) => count === 0);
      // The circuit for events is open: nothing is sent for them, but all that queries need is.
      const before = library.reviews.requests.length;
      await router.ask('{ books { stars } }');
      expect(library.reviews.requests.length).toBeGreaterThan(before);
      for (const client of clients) client.close();
    });
  });

  describe('of a whole shop', () => {
    let system: TestSystem;
    beforeAll(async () => {
      system = await startSystem();
    });
    beforeEach(async () => {
      const redis = new Redis(`${system.redis.url}/4`);
      await redis.flushdb();
      await closeRedis(redis);
    });
    afterAll(async () => {
      await stopRoutersBeside();
      await system.stop();
    });

    it('may open its feed, but not many at once: each event of a snapshot has the cost of one', async () => {
      const { data } = await system.graphql('{ shops(first: 1) { edges { node { id } } } }');
      const shopId = data.shops.edges[0].node.id;
      const query = (n: number) => `subscription ($shopId: UUID!) { stockChanged(shopId: $shopId) {
        v${n}: version available variant { sku name product { name } } shop { name } } }`;
      const router = await startRouterBeside(system, {}, { ipCost: 20 });
      const client = overWebSocket(router.graphqlUrl);
      const first = client.subscribe(query(0), { shopId });
      await eventually(
        async () => first.seen.length,
        (count) => count >= 10,
      );
      const more = Array.from({ length: 50 }, (_, n) => client.subscribe(query(n + 1), { shopId }));
      const refused = ({ ended }: Watch) =>
        JSON.stringify((ended() as unknown[] | null) ?? '').includes('RATE_LIMITED');
      await eventually(
        async () => more.filter(refused).length,
        (count) => count > 30,
      );
      expect(first.ended()).toBe(null);
      client.close();
    });

    const tooMuch = {
      message: 'Too much was requested from your address. Request less, or wait, then try again.',
      extensions: { code: 'RATE_LIMITED' },
    };
    const overSse = async (url: string, query: string) => {
      const given = new URLSearchParams({ query });
      const response = await fetch(`${url}?${given}`, { headers: { accept: 'text/event-stream' } });
      const [, event] = /^data: (.+)$/m.exec(await response.text()) ?? [];
      return JSON.parse(event as string);
    };

    it('open nothing from an address that is over its cost limit', async () => {
      const router = await startRouterBeside(system, {}, { ipCost: 20 });
      const costly = `{ products(first: 100) { edges { node { variants { sku name a: sku b: sku c: sku } } } } }`;
      expect((await postGraphQL(router.graphqlUrl, costly)).status).toBe(429);
      const watch = 'subscription { stockChanged(skus: ["TRAIL-40"]) { available } }';
      expect(await overSse(router.graphqlUrl, watch)).toMatchObject({ errors: [tooMuch] });
      const client = overWebSocket(router.graphqlUrl);
      const refused = client.subscribe(watch);
      await eventually(async () => refused.ended(), Boolean);
      expect(refused.ended()).toMatchObject([tooMuch]);
      const metrics = await (await fetch(`${router.opsUrl}/metrics`)).text();
      expect(metrics).toMatch(/^holdfast_subscription_connections\S* 0$/m);
      client.close();
    });

    it('pay for opening a subscription, also one without a snapshot', async () => {
      const vendor = await registerPerson(system, 'VENDOR');
      const { shopId } = await openShop(system, vendor, [10]);
      const router = await startRouterBeside(system, {}, { ipCost: 3 });
      const client = overWebSocket(router.graphqlUrl, vendor.token);
      const watches = [0, 1, 2, 3].map((n) =>
        client.subscribe(`subscription { lowStockAlert(shopId: "${shopId}") { v${n}: id } }`),
      );
      const ends = () => watches.map((each) => each.ended()).filter(Boolean);
      await eventually(async () => ends().length, Boolean);
      expect(ends()).toMatchObject([[tooMuch]]);
      client.close();
    });
  });
});
