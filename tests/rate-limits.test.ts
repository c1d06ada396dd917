import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { demoPassword } from '../dev/seed/demo-store.js';
import { limiterCommandMaxMs } from '../router/limits/limiter-redis.js';
import { rateLimitProfiles } from '../router/limits/rate-limits.js';
import { readKnownOperations } from '../router/operations/known-operations.js';
import { closeRedis } from '../subgraphs/shared/runtime/redis.js';
import { logIn } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { type GraphQLReply, postGraphQL, startSystem, type TestSystem } from './harness/system.js';

type Router = Awaited<ReturnType<typeof startRouterBeside>>;

const fromAddress = (address: string) => ({ 'x-forwarded-for': address });
let lastAddress = 0;
/** An address that no test has used. */
const newAddress = () => `198.51.100.${++lastAddress}`;

describe('rate limits', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  /** A router with the given requests an hour, which trusts a proxy on this machine. */
  async function routerWith(
    points: Parameters<typeof startRouterBeside>[2],
    settings: Record<string, string> = { TRUST_PROXY: 'loopback' },
  ) {
    return startRouterBeside(system, settings, points);
  }
  async function flushCounts() {
    const redis = new Redis(`${system.redis.url}/4`);
    await redis.flushdb();
    await closeRedis(redis);
  }
  const send = (router: Router, address: string, query = '{ serverTime }', token?: string) =>
    postGraphQL(router.graphqlUrl, query, {}, token, fromAddress(address));
  const statuses = async (n: number, send: (n: number) => Promise<GraphQLReply>) => {
    const all: number[] = [];
    for (let each = 0; each < n; each++) all.push((await send(each)).status);
    return all;
  };

  function expectLimited(reply: GraphQLReply, message: string) {
    const retryAfterMs = reply.errors?.[0]?.extensions.retryAfterMs as number;
    expect(reply.errors).toMatchObject([{ message, extensions: { code: 'RATE_LIMITED' } }]);
    expect(Number.isInteger(retryAfterMs) && retryAfterMs > 0).toBe(true);
    expect(reply.status).toBe(429);
    expect(reply.headers.get('retry-after')).toBe(String(Math.ceil(retryAfterMs / 1000)));
    expect(reply.data ?? null).toBeNull();
  }

  it('refuse an address above its limit, and no other address', async () => {
    const router = await routerWith({ ip: 3 });
    const address = newAddress();
    expect(await statuses(3, () => send(router, address))).toEqual([200, 200, 200]);
    expectLimited(
      await send(router, address),
      'Too many requests from your address. Wait, then try again.',
    );
    expect((await send(router, newAddress())).status).toBe(200);
  });

  it('are counted by two routers together', async () => {
    const [one, other] = [await routerWith({ ip: 3 }), await routerWith({ ip: 3 })];
    const address = newAddress();
    const inTurn = (n: number) => send(n % 2 ? one : other, address);
    expect(await statuses(5, inTurn)).toEqual([200, 200, 200, 429, 429]);
  });

  it('refuse an address before its token and its body are read', async () => {
    const router = await routerWith({ ip: 1 });
    const address = newAddress();
    await send(router, address);
    expect((await send(router, address, '{ serverTime }', 'no.good.token')).status).toBe(429);
    const headers = { 'content-type': 'application/json', ...fromAddress(address) };
    const body = 'x'.repeat(200_000);
    expect((await fetch(router.graphqlUrl, { method: 'POST', headers, body })).status).toBe(429);
    expect((await fetch(`${router.url}/nothing`, { headers })).status).toBe(429);
  });

  it('cause no more Redis commands for a refused address', async () => {
    const router = await routerWith({ ip: 1 });
    const address = newAddress();
    const redis = new Redis(`${system.redis.url}/4`);
    await send(router, address);
    const key = `limit:ip:${address}`;
    expect(await redis.get(key)).toBe('1');
    expect(await statuses(3, () => send(router, address))).toEqual([429, 429, 429]);
    expect(await redis.get(key)).toBe('1');
    await closeRedis(redis);
  });

  it('ignore forwarded addresses that do not come from a trusted proxy', async () => {
    const router = await routerWith({ ip: 2 }, { TRUST_PROXY: '' });
    await flushCounts();
    expect(await statuses(3, () => send(router, newAddress()))).toEqual([200, 200, 429]);
  });

  it('ignore the addresses before the last one that a trusted proxy reports', async () => {
    const router = await routerWith({ ip: 2 });
    const address = newAddress();
    const forged = () => send(router, `${newAddress()}, ${address}`);
    expect(await statuses(3, forged)).toEqual([200, 200, 429]);
  });

  it('count an IPv6 network of 64 bits as one address', async () => {
    const router = await routerWith({ ip: 2 });
    const inNetwork = (n: number) => send(router, `2001:db8:1:2:${n}::${n}`);
    expect(await statuses(3, inNetwork)).toEqual([200, 200, 429]);
    expect((await send(router, '2001:db8:1:3::1')).status).toBe(200);
  });

  it('refuse a user from any address, and no other user', async () => {
    const router = await routerWith({ user: 2 });
    const [ana, ben] = await Promise.all([logIn(system, 'ana'), logIn(system, 'ben')]);
    const asAna = () => send(router, newAddress(), '{ serverTime }', ana.token);
    expect(await statuses(2, asAna)).toEqual([200, 200]);
    expectLimited(await asAna(), 'Too many requests from your account. Wait, then try again.');
    expect((await send(router, newAddress(), '{ serverTime }', ben.token)).status).toBe(200);
    expect((await send(router, newAddress())).status).toBe(200);
  });

  /** An operation of about so many thousands of values. */
  const costing = (thousands: number) => {
    const leaves = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((alias) => `${alias}: sku`);
    return `{ products(first: ${thousands}) { edges { node { variants { ${leaves.join(' ')} } } } } }`;
  };

  it('charge the cost of operations of an address, beside their number', async () => {
    const router = await routerWith({ ipCost: 20 });
    const address = newAddress();
    expect(await statuses(2, () => send(router, address, costing(9)))).toEqual([200, 200]);
    expectLimited(
      await send(router, address, costing(9)),
      'Too much was requested from your address. Request less, or wait, then try again.',
    );
    expect((await send(router, newAddress(), costing(9))).status).toBe(200);
    expect((await send(router, address)).status).toBe(200);
  });

  it('charge the cost of operations of a user, from any address', async () => {
    const router = await routerWith({ userCost: 20 });
    const { token } = await logIn(system, 'ana');
    const costly = () => send(router, newAddress(), costing(9), token);
    expect(await statuses(2, costly)).toEqual([200, 200]);
    expectLimited(
      await costly(),
      'Too much was requested from your account. Request less, or wait, then try again.',
    );
  });

  it('charge by the size of a page in a variable, and nothing for less than a thousand values', async () => {
    const router = await routerWith({ ipCost: 20 });
    const address = newAddress();
    const query = costing(9).replace(
      '{ products(first: 9)',
      'query ($n: Int!) { products(first: $n)',
    );
    const page = (n: number) =>
      postGraphQL(router.graphqlUrl, query, { n }, undefined, fromAddress(address));
    expect(await statuses(30, () => send(router, address))).toEqual(Array(30).fill(200));
    expect([await page(1), await page(18), await page(18)].map(({ status }) => status)).toEqual([
      200, 200, 429,
    ]);
  });

  it('count requests that are no operations, and answer 429 once there are too many', async () => {
    const router = await routerWith({ ip: 3 });
    const address = newAddress();
    const bodies = [
      '{',
      '{"query": "{"}',
      '{"query": "{ nothing }"}',
      '{"query": "{ serverTime }"}',
    ];
    const all = [];
    for (const body of bodies) {
      const headers = { 'content-type': 'application/json', ...fromAddress(address) };
      all.push((await fetch(router.graphqlUrl, { method: 'POST', headers, body })).status);
    }
    expect(all).toEqual([400, 400, 400, 429]);
  });

  it('let a person read every screen of the operations folder ten times in a row', async () => {
    const settings = { RATE_LIMIT_PROFILE: 'standard', TRUST_PROXY: 'loopback' };
    const router = await startRouterBeside(system, settings, {
      ip: 600,
      user: 100,
      ipCost: rateLimitProfiles.standard.ipCost.points,
      userCost: rateLimitProfiles.standard.userCost.points,
    });
    const { token } = await logIn(system, 'ana');
    const address = newAddress();
    const queries = readKnownOperations().filter(({ query }) => /^query/m.test(query));
    expect(queries.length).toBeGreaterThan(4);
    for (let round = 0; round < 10; round++) {
      for (const { query, variables } of queries) {
        const { errors } = await postGraphQL(
          router.graphqlUrl,
          query,
          variables,
          token,
          fromAddress(address),
        );
        expect(errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain(
          'RATE_LIMITED',
        );
      }
    }
  });

  const loginAs = (identifier: string, key = 'login') =>
    `${key}: login(input: { identifier: "${identifier}", password: "wrong-1" }) { __typename }`;
  const nobody = () => `${randomUUID()}@example.com`;

  it('have a lower limit for logins of an address; its queries are still accepted', async () => {
    const router = await routerWith({ login: 2 });
    const address = newAddress();
    const login = () => send(router, address, `mutation { ${loginAs(nobody())} }`);
    expect(await statuses(2, login)).toEqual([200, 200]);
    expectLimited(
      await login(),
      'Too many login attempts from your address. Wait, then try again.',
    );
    expect((await send(router, address)).status).toBe(200);
  });

  it('count each alias, in fragments too; a refused operation has no effect', async () => {
    const router = await routerWith({ login: 3, register: 2 });
    const three = `mutation { ${loginAs(nobody(), 'a')} ...More ... on Mutation { ${loginAs(nobody(), 'c')} } }
      fragment More on Mutation { ${loginAs(nobody(), 'b')} }`;
    const address = newAddress();
    expect((await send(router, address, three)).status).toBe(200);
    const one = `mutation { ${loginAs(nobody())} }`;
    expect((await send(router, address, one)).status).toBe(429);

    const email = nobody();
    const register = (key: string, to: string) =>
      `${key}: register(input: { name: "N", email: "${to}", password: "pass-${randomUUID()}" }) { __typename }`;
    const threeNew = `mutation { ${register('a', email)} ${register('b', nobody())} ${register('c', nobody())} }`;
    expect((await send(router, newAddress(), threeNew)).status).toBe(429);
    const { data } = await send(router, newAddress(), `mutation { ${register('a', email)} }`);
    expect(data.a.__typename).toBe('Session');
  });

  it('have separate limits for session refreshes and password changes', async () => {
    const router = await routerWith({ login: 1, refresh: 1 });
    const refresh = 'mutation { refreshSession(refreshToken: "none") { __typename } }';
    const change = `mutation { changePassword(input: { currentPassword: "a", newPassword: "b" }) { __typename } }`;
    for (const query of [refresh, change]) {
      const address = newAddress();
      expect(await statuses(2, () => send(router, address, query))).toEqual([200, 429]);
    }
  });

  it('count logins of one identity from all addresses, in any spelling', async () => {
    const router = await routerWith({ identity: 3 });
    const tail = randomUUID();
    const written = [`v${tail}@example.com`, ` V${tail.toUpperCase()}@Example.com `];
    const query = `mutation ($given: LoginInput = { identifier: "v${tail}@EXAMPLE.com", password: "x" }, $id: String!) {
      a: login(input: $given) { __typename } b: login(input: { identifier: $id, password: "y" }) { __typename } }`;
    const first = await postGraphQL(
      router.graphqlUrl,
      query,
      { id: written[0] },
      undefined,
      fromAddress(newAddress()),
    );
    expect(first.data).toMatchObject({ a: {}, b: {} });
    const login = (n: number) =>
      send(router, newAddress(), `mutation { ${loginAs(written[n % 2] as string)} }`);
    expect((await login(0)).status).toBe(200);
    expectLimited(
      await login(1),
      'Too many login attempts for this account. Wait, then try again.',
    );
    expect((await send(router, newAddress(), `mutation { ${loginAs(nobody())} }`)).status).toBe(
      200,
    );
  });

  it('count logins of one phone number in any notation', async () => {
    const router = await routerWith({ identity: 2 });
    const written = ['+12025550143', '+1 (202) 555-0143', ' +1-202-555-0143', '+1.202.555.0143'];
    const codes = [];
    for (const each of written) {
      codes.push((await send(router, newAddress(), `mutation { ${loginAs(each)} }`)).status);
    }
    expect(codes).toEqual([200, 200, 429, 429]);
    for (const odd of [
      '＋12025550143',
      '+12025550143 ＠0',
      'call +12025550143',
      '+12025550143 ext. 5',
    ]) {
      const login = `mutation { login(input: { identifier: "${odd}", password: "holdfast-demo" }) { __typename } }`;
      expect((await send(router, newAddress(), login)).data).toMatchObject({
        login: { __typename: 'InvalidCredentials' },
      });
    }
  });

  it('store no e-mail address in Redis', async () => {
    const router = await routerWith({});
    await send(router, newAddress(), `mutation { ${loginAs('ana@example.com')} }`);
    const redis = new Redis(`${system.redis.url}/4`);
    const keys = await redis.keys('limit:identity:*');
    await closeRedis(redis);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => /ana|@/.test(key))).toEqual([]);
  });

  it.each(['down', 'unresponsive'])(
    'are counted in memory without an error while Redis is %s',
    async (how) => {
      const settings = { TRUST_PROXY: 'loopback' };
      const router = await startRouterBeside(system, settings, { ip: 3 }, limiterCommandMaxMs);
      const address = newAddress();
      await (how === 'down' ? system.redis.kill() : system.redis.pause());
      const replies = await statuses(5, () => send(router, address));
      await (how === 'down' ? system.redis.restart() : system.redis.resume());
      expect(replies).toEqual([200, 200, 200, 429, 429]);
    },
  );

  it('let a person log in and shop with the standard profile', async () => {
    const settings = { RATE_LIMIT_PROFILE: 'standard', TRUST_PROXY: 'loopback' };
    await system.stopProcess('router');
    await system.start('router', settings);
    const { data } = await system.graphql(
      `mutation { login(input: { identifier: "ben@example.com", password: "${demoPassword}" }) { ... on Session { accessToken } } }`,
    );
    const token = data.login.accessToken as string;
    expect(await statuses(30, () => system.graphql('{ me { id } }', {}, token))).toEqual(
      Array(30).fill(200),
    );
    const guess = `mutation { ${Array.from({ length: 11 }, (_, n) => loginAs('ana@example.com', `a${n}`)).join(' ')} }`;
    expectLimited(
      await system.graphql(guess),
      'Too many login attempts for this account. Wait, then try again.',
    );
  });
});
