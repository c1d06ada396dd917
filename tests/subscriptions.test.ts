import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { importJWK, type JWTPayload, SignJWT } from 'jose';
import WebSocket from 'ws';
import {
  type Answer,
  overWebSocket as connect,
  gauge,
  keep,
  type LiveClient,
  liveClients,
  type Watch,
  wsUrl,
} from './harness/live.js';
import { checkout, openShop, type Person, pay, registerPerson } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { actAs } from './harness/vendor.js';
import { eventually } from './harness/wait.js';

const watchStock = `subscription ($skus: [String!]) {
  stockChanged(skus: $skus) { available version variant { sku name } shop { name } } }`;
// Warming up takes less, and a leak of one stream in each round more.
const grownMaxBytes = 4 * 1024 * 1024;

describe('federated subscriptions at the router', () => {
  let system: TestSystem;
  let opsUrl: string;
  let vendor: Person;
  let customer: Person;
  beforeAll(async () => {
    system = await startSystem();
    opsUrl = `http://127.0.0.1:${system.ports.ops.router}`;
    vendor = await registerPerson(system, 'VENDOR');
    customer = await registerPerson(system);
  });
  const opened: LiveClient[] = [];
  const kept = <C extends LiveClient>(client: C): C => {
    opened.push(client);
    return client;
  };
  const overWebSocket: typeof connect = (...given) => kept(connect(...given));
  const clientOf = (name: string, token?: string) =>
    kept(liveClients[name]?.(system.url, token) as LiveClient);
  afterEach(async () => {
    for (const client of opened.splice(0)) client.close();
    await stopRoutersBeside();
    await counts({ subscriptions_open: 0, subscription_upstreams: 0 });
  });
  afterAll(async () => {
    await system.expectInvariants();
    await system.stop();
  });

  const counts = (wanted: Record<string, number>) =>
    eventually(
      async () => {
        const names = Object.keys(wanted);
        const read = names.map(
          async (name) => [name, await gauge(opsUrl, `holdfast_${name}`)] as const,
        );
        return Object.fromEntries(await Promise.all(read));
      },
      (read) => Object.entries(wanted).every(([name, count]) => read[name] === count),
    );
  const until = (watch: Watch, is: (answer: Answer | undefined) => boolean, timeoutMs = 10_000) =>
    eventually(async () => watch.seen.at(-1), is, timeoutMs);
  const left = (available: number) => (answer: Answer | undefined) =>
    answer?.data?.stockChanged?.available === available;
  const code = (watch: Watch) => {
    const end = watch.ended();
    const thrown = (end as { errors?: Answer['errors'] } | null)?.errors;
    const errors = Array.isArray(end) ? end : (thrown ?? watch.seen.at(-1)?.errors ?? []);
    return (errors as NonNullable<Answer['errors']>)[0]?.extensions?.code;
  };
  const codeOf = (watch: Watch) => eventually(async () => code(watch), Boolean);
  const tokenFor = async (person: Person, seconds: number) => {
    const jwk = JSON.parse(system.secrets.signingKeys).keys[0];
    const [, payload = ''] = person.token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload;
    return new SignJWT({ ...claims, exp: Math.floor(Date.now() / 1000) + seconds })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: jwk.kid })
      .sign(await importJWK(jwk, 'EdDSA'));
  };

  it('share one upstream if 200 clients subscribe to the same, with or without a token', async () => {
    const { sku, offerId } = await openShop(system, vendor, [10]);
    const clients = Array.from({ length: 10 }, (_, n) =>
      overWebSocket(system.url, n % 2 ? customer.token : undefined),
    );
    const watches = clients.flatMap((client) =>
      Array.from({ length: 20 }, () => client.subscribe(watchStock, { skus: [sku] })),
    );
    await Promise.all(watches.map((watch) => until(watch, left(10))));
    await counts({ subscriptions_open: 200, subscription_upstreams: 1 });
    await checkout(system, customer, [{ offerId, quantity: 3 }]);
    await Promise.all(watches.map((watch) => until(watch, left(7))));
  });

  it('never share fields that are not public between users; each sees their own data', async () => {
    const { sku } = await openShop(system, vendor, [10]);
    const query = `subscription ($skus: [String!]) {
      stockChanged(skus: $skus) { available shop { owner { id email } } } }`;
    const own = overWebSocket(system.url, vendor.token);
    const other = overWebSocket(system.url, customer.token);
    const watches = [own, own, other].map((client) => client.subscribe(query, { skus: [sku] }));
    await Promise.all(watches.map((watch) => until(watch, left(10))));
    await counts({ subscriptions_open: 3, subscription_upstreams: 2 });
    const owners = watches.map(({ seen }) => seen[0]?.data.stockChanged.shop.owner);
    expect(owners[0].email).toMatch(/@example\.com$/);
    expect(owners[1]).toEqual(owners[0]);
    expect(owners[2]).toEqual({ id: vendor.id, email: null });
  });

  it('do not share fields that everyone may read but whose value depends on the user', async () => {
    const { sku, shopId, offerId } = await openShop(system, vendor, [10]);
    const inactive = { shopId, sku, price: '10.00', active: false };
    await actAs(system, vendor).mutate('setOffer', 'SetOfferInput', inactive, 'id');
    const query = `subscription ($skus: [String!]) { stockChanged(skus: $skus) {
      available shop { offers { edges { node { id active } } } } } }`;
    const viewers = [overWebSocket(system.url), overWebSocket(system.url, vendor.token)];
    const watches = viewers.map((client) => client.subscribe(query, { skus: [sku] }));
    await Promise.all(watches.map((watch) => until(watch, left(10))));
    const offers = watches.map(({ seen }) => seen[0]?.data.stockChanged.shop.offers.edges);
    expect(offers).toEqual([[], [{ node: { id: offerId, active: false } }]]);
  });

  it('have the rights of queries: alerts of a shop are visible to its owner only', async () => {
    const { shopId, sku, offerId, warehouseIds } = await openShop(system, vendor, [12]);
    const query = `subscription ($shopId: UUID!) {
      lowStockAlert(shopId: $shopId) { available variant { sku name } } }`;
    const owner = overWebSocket(system.url, vendor.token);
    const alerts = owner.subscribe(query, { shopId });
    const others = [
      overWebSocket(system.url),
      overWebSocket(system.url, customer.token),
      overWebSocket(system.url, (await registerPerson(system, 'VENDOR')).token),
    ];
    const overHttp = ['graphql-sse', '@apollo/client, multipart'].flatMap((name) => [
      clientOf(name),
      clientOf(name, customer.token),
    ]);
    const refused = [...others, ...overHttp].map((client) => client.subscribe(query, { shopId }));
    expect(await Promise.all(refused.map(codeOf))).toEqual([
      ...['UNAUTHENTICATED', 'FORBIDDEN', 'FORBIDDEN'],
      ...['UNAUTHENTICATED', 'FORBIDDEN', 'UNAUTHENTICATED', 'FORBIDDEN'],
    ]);
    await checkout(system, customer, [{ offerId, quantity: 5 }]);
    await until(alerts, (answer) => answer?.data?.lowStockAlert.available === 7);
    expect(alerts.seen[0]?.data.lowStockAlert.variant).toEqual({ sku, name: 'the only one' });
    const later = owner.subscribe(query, { shopId });
    await counts({ subscriptions_open: 2, subscription_upstreams: 2 });
    expect(later.seen).toEqual([]);
    const receipt = { warehouseId: warehouseIds[0], sku, quantity: 5 };
    await actAs(system, vendor).mutate('receiveStock', 'ReceiveStockInput', receipt, 'id');
  });

  it('alert a shop each time a shortfall rises, with the orders that it concerns', async () => {
    const { shopId, sku, offerId, warehouseIds } = await openShop(system, vendor, [100]);
    const placed = await checkout(system, customer, [{ offerId, quantity: 100 }]);
    await pay(system, customer, placed.data.checkout.order.id);
    const query = `subscription ($shopId: UUID!) { stockShortfallAlert(shopId: $shopId) {
      units level { onHand variant { name } }
      orders { edges { node { units paid shopOrder { status order { number } } } } } } }`;
    const alerts = overWebSocket(system.url, vendor.token).subscribe(query, { shopId });
    let lost = 0;
    const lose = async () => {
      const input = { warehouseId: warehouseIds[0], sku, delta: -1, reason: 'lost' };
      await actAs(system, vendor).mutate('adjustStock', 'AdjustStockInput', input, '__typename');
      lost += 1;
    };
    const loseUntilAlerted = async () => {
      await lose(); // before the subscription is open, it causes no alert
      return alerts.seen.length;
    };
    await eventually(loseUntilAlerted, (seen) => seen > 0);
    await lose();
    const alerted = await until(
      alerts,
      (answer) => answer?.data?.stockShortfallAlert.units === lost,
    );
    const { number } = placed.data.checkout.order;
    const node = { units: 100, paid: true, shopOrder: { status: 'CONFIRMED', order: { number } } };
    expect(alerted?.data.stockShortfallAlert).toEqual({
      units: lost,
      level: { onHand: 100 - lost, variant: { name: 'the only one' } },
      orders: { edges: [{ node }] },
    });
  });

  it('return null with an error at its path for a subgraph that is down, as queries do', async () => {
    const { sku, offerId } = await openShop(system, vendor, [10]);
    const query = `subscription ($skus: [String!]) {
      stockChanged(skus: $skus) { left: available thing: variant { sku product { name } } } }`;
    await system.stopProcess('product');
    const client = overWebSocket(system.url);
    const watch = client.subscribe(query, { skus: [sku] });
    const [first] = await eventually(
      async () => watch.seen,
      ({ length }) => length > 0,
    );
    expect(first?.data.stockChanged).toEqual({ left: 10, thing: null });
    expect(first?.errors?.[0]?.extensions?.code).toBe('TRY_AGAIN');
    await system.start('product');
    const later = client.subscribe(query, { skus: [sku] });
    await until(later, (answer) => answer?.data?.stockChanged.thing?.product?.name !== undefined);
    expect(later.seen.every(({ errors }) => !errors)).toBe(true);
    await counts({ subscription_upstreams: 1 });
    await checkout(system, customer, [{ offerId, quantity: 1 }]);
    await until(watch, (answer) => answer?.data?.stockChanged.left === 9);
  });

  it('send the snapshot after their subgraph was down to those of 100 clients for whom it changed', async () => {
    const { sku, shopId, offerId } = await openShop(system, vendor, [10]);
    const withoutShop = watchStock.replace('shop { name }', '');
    const clients = Object.keys(liveClients).map((name) => clientOf(name));
    const watches = clients.flatMap((client, c) =>
      Array.from({ length: 20 }, (_, n) =>
        client.subscribe(
          (n % 2 ? watchStock : withoutShop).replace('version', `v${c}${n % 4}: available`),
          { skus: [sku] },
        ),
      ),
    );
    await Promise.all(watches.map((watch) => until(watch, left(10))));
    await system.stopProcess('warehouse');
    const name = 'Renamed meanwhile';
    const input = { id: shopId, name };
    await actAs(system, vendor).mutate('updateShop', 'UpdateShopInput', input, 'id');
    await system.start('warehouse');
    const withShop = watches.filter((_, n) => n % 2);
    await Promise.all(
      withShop.map((watch) => until(watch, (is) => is?.data.stockChanged.shop?.name === name)),
    );
    await checkout(system, customer, [{ offerId, quantity: 3 }]);
    await Promise.all(watches.map((watch) => until(watch, left(7))));
    const odd = watches.filter(({ seen }, n) => seen.length !== (n % 2 ? 3 : 2));
    expect(odd.map(({ seen }) => seen)).toEqual([]);
    expect(watches.filter((watch) => watch.ended() !== null)).toEqual([]);
    for (const watch of watches) watch.stop();
  });

  it('send each version once and in order: to a client that joins later, and over a lost connection', async () => {
    const { sku, shopId, offerId } = await openShop(system, vendor, [10]);
    const rename = (name: string) =>
      actAs(system, vendor).mutate('updateShop', 'UpdateShopInput', { id: shopId, name }, 'id');
    const named = (name: string) => (answer: Answer | undefined) =>
      answer?.data.stockChanged.shop?.name === name;
    const client = overWebSocket(system.url);
    const first = client.subscribe(watchStock, { skus: [sku] });
    await until(first, left(10));
    await rename('Renamed once');
    // What is kept is completed again for clients that join after 2 s.
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const second = client.subscribe(watchStock, { skus: [sku] });
    await until(second, named('Renamed once'));
    await counts({ subscription_upstreams: 1 });

    await system.stopProcess('warehouse');
    await rename('Renamed twice');
    await system.start('warehouse');
    const third = client.subscribe(watchStock, { skus: [sku] });
    await until(third, left(10));
    await checkout(system, customer, [{ offerId, quantity: 3 }]);
    const all = [first, second, third];
    await Promise.all(all.map((watch) => until(watch, left(7))));
    const versions = all.map(({ seen }) => seen.map(({ data }) => data.stockChanged.version));
    const [before, after] = versions[0] as [number, number];
    expect(after).toBeGreaterThan(before);
    expect(versions).toEqual([
      [before, after],
      [before, after],
      [before, after],
    ]);
  });

  it.each(Object.keys(liveClients))(
    'end over %s with UNAUTHENTICATED when the token expires',
    async (name) => {
      const { sku } = await openShop(system, vendor, [10]);
      const client = clientOf(name, await tokenFor(customer, 8));
      const watch = client.subscribe(watchStock, { skus: [sku] });
      await until(watch, left(10));
      const codes = () => {
        const end = watch.ended() as { errors?: Answer['errors'] } | Answer['errors'] | null;
        const errors = [
          ...watch.seen.flatMap(({ errors: each }) => each ?? []),
          ...(Array.isArray(end) ? end : ((end as { errors?: Answer['errors'] })?.errors ?? [])),
        ];
        return errors.map(({ extensions }) => extensions?.code);
      };
      await eventually(
        async () => codes(),
        (all) => all.includes('UNAUTHENTICATED'),
      );
      await counts({ subscriptions_open: 0 });
    },
  );

  it('refuse a connection with an invalid token', async () => {
    const client = overWebSocket(system.url, 'x.y.z');
    const watch = client.subscribe(watchStock, { skus: ['any'] });
    expect(await eventually(async () => watch.ended(), Boolean)).toMatchObject({
      code: 4403,
      reason: 'The access token is not valid.',
    });
    const response = await fetch(system.url, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        authorization: 'Bearer x.y.z',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: watchStock }),
    });
    expect(response.status).toBe(401);
    await response.text();
  });

  it.each([
    ['a placeholder', 'Bearer <accessToken>'],
    ['a number', 7],
  ])(
    'end at once with the reason if the token is %s, also if the client reconnects',
    async (_name, authorization) => {
      const options = { retryAttempts: 5, connectionParams: { authorization } };
      const client = overWebSocket(system.url, undefined, options);
      let connections = 0;
      client.client.on('connecting', () => connections++);
      const watch = client.subscribe(watchStock, { skus: ['any'] });
      expect(await eventually(async () => watch.ended(), Boolean)).toMatchObject({
        code: 4401,
        reason: 'The Authorization header must be: Bearer <access token>.',
      });
      expect(connections).toBe(1);
      client.close();
    },
  );

  it('have the limits of queries', async () => {
    const deep = `subscription { stockChanged(skus: ["a"]) { variant { offers { variant { offers {
      variant { offers { variant { offers { id } } } } } } } } } }`;
    const aliases = Array.from({ length: 20 }, (_, n) => `a${n}: version`).join(' ');
    const bad = [
      deep,
      `subscription { stockChanged(skus: ["a"]) { ${aliases} } }`,
      'subscription { stockChanged(skus: ["a"]) { nothing } }',
      'subscription ($x: Boolean!) { stockChanged(skus: ["a"]) @include(if: $x) { version } }',
      'subscription { stockChanged(skus: ["a"]) { version } lowStockAlert(shopId: "x") { id } }',
      'subscription { stockChanged(skus: {}) { version } }',
      'subscription {',
      'subscription { stockChanged(skus: []) { version } }',
    ];
    const client = overWebSocket(system.url);
    const ended = await Promise.all(
      bad.map((query) => codeOf(client.subscribe(query, { x: true }))),
    );
    expect(ended).toEqual([
      ...Array(5).fill('GRAPHQL_VALIDATION_FAILED'),
      'GRAPHQL_VALIDATION_FAILED',
      'GRAPHQL_PARSE_FAILED',
      'BAD_USER_INPUT',
    ]);
    const multipart = 'multipart/mixed;subscriptionSpec=1.0,application/json';
    for (const accept of ['text/event-stream', multipart]) {
      const headers = { accept, 'content-type': 'application/json' };
      const texts = bad.map(async (query) => {
        const body = JSON.stringify({ query, variables: { x: true } });
        return (await fetch(system.url, { method: 'POST', headers, body })).text();
      });
      for (const [n, text] of (await Promise.all(texts)).entries()) {
        expect(text).toContain(ended[n]);
      }
    }
    const conditional = [
      'subscription ($x: Boolean!) { ... @include(if: $x) { stockChanged(skus: ["a"]) { version } } }',
      'subscription ($x: Boolean!) { ... { stockChanged(skus: ["a"]) @skip(if: $x) { version } } }',
      `fragment F on Subscription { ... { stockChanged(skus: ["a"]) @skip(if: $x) { version } } }
       subscription ($x: Boolean!) { ...F }`,
      'subscription ($x: Boolean!) { stockChanged(skus: ["a"]) @skip(if: $x) { version } }',
    ];
    for (const query of conditional) {
      expect(await codeOf(client.subscribe(query, { x: true }))).toBe('GRAPHQL_VALIDATION_FAILED');
      const parameters = new URLSearchParams({ query, variables: '{"x":true}' });
      const body = JSON.stringify({ query, variables: { x: true } });
      for (const accept of ['application/json', 'text/event-stream', '*/*']) {
        const headers = { accept, 'content-type': 'application/json' };
        for (const request of [
          fetch(system.url, { method: 'POST', headers, body }),
          fetch(`${system.url}?${parameters}`, { headers }),
        ]) {
          const response = await request;
          expect(response.status).toBe(accept === 'text/event-stream' ? 200 : 400);
          expect(await response.text()).toContain('GRAPHQL_VALIDATION_FAILED');
        }
      }
    }
    const badVariable = client.subscribe(watchStock, { skus: { no: 1 } });
    expect(await codeOf(badVariable)).toBe('BAD_USER_INPUT');
    client.close();
  });

  it('watch a limited number of items together, of one address', async () => {
    const { sku } = await openShop(system, vendor, [10]);
    const router = await startRouterBeside(system, { SUBSCRIPTION_ITEMS_PER_CLIENT_MAX: '5' });
    const client = overWebSocket(router.graphqlUrl);
    const watch = (...skus: string[]) => client.subscribe(watchStock, { skus });
    const named = (count: number) => Array.from({ length: count }, (_, n) => `nothing-${n}`);
    expect(await codeOf(watch(...named(6)))).toBe('RATE_LIMITED');
    const first = watch(...named(4));
    const second = watch(sku);
    await eventually(
      async () => second.seen.length,
      (count) => count === 1,
    );
    expect(await codeOf(watch('one-more'))).toBe('RATE_LIMITED');
    expect([first, second].map((each) => each.ended())).toEqual([null, null]);
    first.stop();
    await eventually(
      () => gauge(router.opsUrl, 'holdfast_subscriptions_open'),
      (open) => open === 1,
    );
    expect(await codeOf(watch(...named(5)))).toBe('RATE_LIMITED');
    watch(...named(4));
    await eventually(
      () => gauge(router.opsUrl, 'holdfast_subscriptions_open'),
      (open) => open === 2,
    );
    client.close();
  });

  it('are limited for each connection and client; each operation counts as a request', async () => {
    const router = await startRouterBeside(
      system,
      {
        SUBSCRIPTIONS_PER_CONNECTION_MAX: '2',
        SUBSCRIPTIONS_PER_CLIENT_MAX: '3',
        TRUST_PROXY: 'loopback',
      },
      { ip: 30 },
    );
    const watch = (client: ReturnType<typeof overWebSocket>, n: number) =>
      client.subscribe(watchStock, { skus: [`S-${n}`] });
    // Counted separately: the other tests use this machine's address too.
    class FromElsewhere extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers: { 'x-forwarded-for': '203.0.113.7' } });
      }
    }
    const elsewhere = { webSocketImpl: FromElsewhere };
    const client = overWebSocket(router.graphqlUrl, undefined, elsewhere);
    const all = [0, 1, 2].map((n) => watch(client, n));
    expect(await codeOf(all[2] as Watch)).toBe('RATE_LIMITED');
    // Otherwise either of the two connections could exceed the limit.
    await eventually(
      () => gauge(router.opsUrl, 'holdfast_subscriptions_open'),
      (open) => open === 2,
    );
    const second = overWebSocket(router.graphqlUrl, undefined, elsewhere);
    const more = [0, 1].map((n) => watch(second, n));
    expect(await eventually(async () => more.map(code).find(Boolean), Boolean)).toBe(
      'RATE_LIMITED',
    );
    for (const each of [...all.slice(1), ...more]) each.stop();
    const codes: unknown[] = [];
    for (let n = 0; n < 30; n++) {
      const query = client.subscribe('{ serverTime }');
      await eventually(async () => query.ended(), Boolean);
      codes.push(code(query));
    }
    expect([codes[0], codes.at(-1)]).toEqual([undefined, 'RATE_LIMITED']);
  });

  it('are not the only operations over graphql-ws and SSE: queries and mutations work too', async () => {
    for (const name of ['graphql-ws', 'graphql-sse']) {
      const client = clientOf(name, customer.token);
      const me = client.subscribe('{ me { id } }');
      const login = client.subscribe(
        'mutation { login(input: { identifier: "ana@example.com", password: "no" }) { __typename } }',
      );
      await eventually(
        async () => [me.ended(), login.ended()],
        (all) => all.every(Boolean),
      );
      expect(me.seen).toEqual([{ data: { me: { id: customer.id } } }]);
      expect(login.seen).toEqual([{ data: { login: { __typename: 'InvalidCredentials' } } }]);
    }
  });

  it('use multipart for a plain POST, each part closed at once; a client that accepts JSON only gets an error', async () => {
    const { sku } = await openShop(system, vendor, [10]);
    const post = (headers: Record<string, string>) =>
      fetch(system.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: watchStock, variables: { skus: [sku] } }),
      });
    const response = await post({});
    expect(response.headers.get('content-type')).toBe(
      'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
    );
    let text = '';
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.includes('payload')) break;
    }
    expect(text).toMatch(
      /^\r\n--graphql\r\ncontent-type: application\/json\r\n\r\n\{"payload":\{"data":.*\}\r\n--graphql$/,
    );
    const refused = await post({ accept: 'application/json' });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('A subscription needs graphql-ws');
    const search = (query: string, operationName: string) =>
      fetch(`${system.url}?${new URLSearchParams({ query, operationName })}`, {
        headers: { accept: 'text/event-stream' },
      });
    const login = 'login(input: { identifier: "x", password: "y" }) { __typename }';
    const both = `query A { serverTime } mutation B { ${login} }`;
    expect((await search(both, 'B')).status).toBe(405);
    expect(await (await search(both, 'A')).text()).toContain('serverTime');
  });

  it('refuse connections from pages of other origins', async () => {
    const router = await startRouterBeside(system, { CORS_ORIGINS: 'https://shop.example' });
    const outcome = (origin?: string) =>
      new Promise((resolve) => {
        const url = wsUrl(router.graphqlUrl);
        const socket = new WebSocket(url, 'graphql-transport-ws', origin ? { origin } : {});
        socket.once('open', () => {
          socket.close();
          resolve('open');
        });
        socket.once('error', (error) => resolve(error.message));
      });
    expect(await outcome('https://evil.example')).toContain('403');
    expect(await outcome('https://shop.example')).toBe('open');
    expect(await outcome(router.url)).toBe('open');
    expect(await outcome()).toBe('open');
  });

  it('close the connection of a dead client within 30 s', async () => {
    const { sku } = await openShop(system, vendor, [10]);
    const socket = new WebSocket(wsUrl(system.url), 'graphql-transport-ws', { autoPong: false });
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data) => {
      if (!String(data).includes('connection_ack')) return;
      const payload = { query: watchStock, variables: { skus: [sku] } };
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    });
    await counts({ subscriptions_open: 1 });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    expect(await closed).toBe(1006);
    await counts({ subscriptions_open: 0, websockets_open: 0 });
  });

  it('are reopened by their clients after the router stops', async () => {
    const { sku } = await openShop(system, vendor, [10]);
    const { client } = overWebSocket(system.url, undefined, {
      retryAttempts: 100,
      shouldRetry: () => true,
      retryWait: () => new Promise((resolve) => setTimeout(resolve, 200)),
    });
    let snapshots = 0;
    const codes: number[] = [];
    client.on('closed', (event) => codes.push((event as { code: number }).code));
    client.subscribe(
      { query: watchStock, variables: { skus: [sku] } },
      {
        next: () => {
          snapshots += 1;
        },
        error: () => {},
        complete: () => {},
      },
    );
    await eventually(
      async () => snapshots,
      (count) => count === 1,
    );
    await system.stopProcess('router');
    await system.start('router');
    await eventually(
      async () => snapshots,
      (count) => count === 2,
    );
    expect(codes[0]).toBe(1001);
    await client.dispose();
  });

  it.each([
    ['graphql-ws', 10_000],
    ['@apollo/client, multipart', 2000],
    ['plain SSE', 2000],
  ])(
    'over %s leave nothing behind after %i are opened and closed',
    async (name, rounds) => {
      const { sku } = await openShop(system, vendor, [10]);
      const warehouse = `http://127.0.0.1:${system.ports.ops.warehouse}`;
      const collect = garbageCollector();
      const sockets = () =>
        process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length;
      const listeners = () =>
        process.eventNames().reduce((sum, event) => sum + process.listenerCount(event), 0);
      const client =
        name === 'graphql-ws'
          ? overWebSocket(system.url, undefined, { lazyCloseTimeout: 1000 })
          : name === 'plain SSE'
            ? overPlainSse(system.url)
            : clientOf(name);
      const round = async (n: number) => {
        const watch = client.subscribe(watchStock, { skus: [n % 2 ? sku : `S-${n}`] });
        if (n % 2) await eventuallyFast(() => watch.seen.length > 0 || watch.ended() !== null);
        expect(watch.ended()).toBe(null);
        watch.stop();
      };
      const inRounds = async (count: number) => {
        for (let n = 0; n < count; n += 50) {
          await Promise.all(Array.from({ length: 50 }, (_, at) => round(n + at)));
        }
        await counts({ subscriptions_open: 0, subscription_upstreams: 0 });
        await eventually(
          () => gauge(warehouse, 'holdfast_stock_subscriptions'),
          (open) => open === 0,
        );
      };
      await inRounds(rounds / 4);
      const [heapBefore, socketsBefore, listenersBefore] = [collect(), sockets(), listeners()];
      await inRounds((rounds * 3) / 4);
      // Garbage is collected soon; a leak stays.
      await eventually(
        async () => collect() - heapBefore,
        (grown) => grown < grownMaxBytes,
      );
      client.close();
      await counts({ subscription_connections: 0, websockets_open: 0 });
      await eventually(
        async () => sockets(),
        (count) => count <= socketsBefore,
      );
      expect(listeners()).toBeLessThanOrEqual(listenersBefore);
    },
    300_000,
  );
});

/** A client that keeps nothing itself. */
function overPlainSse(url: string): LiveClient {
  const subscribe = (query: string, variables = {}) =>
    keep((sink) => {
      const gone = new AbortController();
      const read = async () => {
        const response = await fetch(url, {
          method: 'POST',
          headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
          body: JSON.stringify({ query, variables }),
          signal: gone.signal,
        });
        for await (const chunk of response.body as ReadableStream<Uint8Array>) {
          const [, data] = /data: (.+)/.exec(Buffer.from(chunk).toString()) ?? [];
          if (data) sink.next(JSON.parse(data));
        }
      };
      read().catch(sink.error);
      return () => gone.abort();
    });
  return { subscribe, close() {} };
}

function garbageCollector(): () => number {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  return () => {
    gc();
    return process.memoryUsage().heapUsed;
  };
}

async function eventuallyFast(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 2));
}
