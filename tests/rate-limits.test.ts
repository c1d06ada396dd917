import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { demoPassword } from '../dev/seed/demo-store.js';
import { limiterCommandMaxMs } from '../router/limits/limiter-redis.js';
import { closeRedis } from '../subgraphs/shared/runtime/redis.js';
import { logIn } from './harness/people.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { type GraphQLReply, postGraphQL, startSystem, type TestSystem } from './harness/system.js';

type Router = Awaited<ReturnType<typeof startRouterBeside>>;

const fromAddress = (address: string) => ({ 'x-forwarded-for': address });
let lastAddress = 0;
/** An address that no test has used. */
const newAddress = () => `198.51.100.${++lastAddress}`;

describe('how often something may be asked has limits', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterEach(stopRoutersBeside);
  afterAll(() => system.stop());

  /** A router with so many requests an hour, which believes what a proxy on this machine says. */
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
  const ask = (router: Router, address: string, query = '{ serverTime }', token?: string) =>
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

  it('an address is refused once it has asked too often, and no other is', async () => {
    const router = await routerWith({ ip: 3 });
    const address = newAddress();
    expect(await statuses(3, () => ask(router, address))).toEqual([200, 200, 200]);
    expectLimited(await ask(router, address), 'Too many requests from your address.');
    expect((await ask(router, newAddress())).status).toBe(200);
  });

  it('two routers count together', async () => {
    const [one, other] = [await routerWith({ ip: 3 }), await routerWith({ ip: 3 })];
    const address = newAddress();
    const inTurn = (n: number) => ask(n % 2 ? one : other, address);
    expect(await statuses(5, inTurn)).toEqual([200, 200, 200, 429, 429]);
  });

  it('a refused address is refused before its token or its body is looked at', async () => {
    const router = await routerWith({ ip: 1 });
    const address = newAddress();
    await ask(router, address);
    expect((await ask(router, address, '{ serverTime }', 'no.good.token')).status).toBe(429);
    const headers = { 'content-type': 'application/json', ...fromAddress(address) };
    const body = 'x'.repeat(200_000);
    expect((await fetch(router.graphqlUrl, { method: 'POST', headers, body })).status).toBe(429);
    expect((await fetch(`${router.url}/nothing`, { headers })).status).toBe(429);
  });

  it('a refused address costs Redis nothing more', async () => {
    const router = await routerWith({ ip: 1 });
    const address = newAddress();
    const redis = new Redis(`${system.redis.url}/4`);
    await ask(router, address);
    const key = `limit:ip:${address}`;
    expect(await redis.get(key)).toBe('1');
    expect(await statuses(3, () => ask(router, address))).toEqual([429, 429, 429]);
    expect(await redis.get(key)).toBe('1');
    await closeRedis(redis);
  });

  it('whoever is not a trusted proxy cannot say to be somebody else', async () => {
    const router = await routerWith({ ip: 2 }, { TRUST_PROXY: '' });
    await flushCounts();
    expect(await statuses(3, () => ask(router, newAddress()))).toEqual([200, 200, 429]);
  });

  it('addresses before the last one that a trusted proxy reports are ignored', async () => {
    const router = await routerWith({ ip: 2 });
    const address = newAddress();
    const forged = () => ask(router, `${newAddress()}, ${address}`);
    expect(await statuses(3, forged)).toEqual([200, 200, 429]);
  });

  it('an IPv6 network of 64 bits is one address', async () => {
    const router = await routerWith({ ip: 2 });
    const inNetwork = (n: number) => ask(router, `2001:db8:1:2:${n}::${n}`);
    expect(await statuses(3, inNetwork)).toEqual([200, 200, 429]);
    expect((await ask(router, '2001:db8:1:3::1')).status).toBe(200);
  });

  it('a user is refused wherever the requests come from, and no other user is', async () => {
    const router = await routerWith({ user: 2 });
    const [ana, ben] = await Promise.all([logIn(system, 'ana'), logIn(system, 'ben')]);
    const asAna = () => ask(router, newAddress(), '{ serverTime }', ana.token);
    expect(await statuses(2, asAna)).toEqual([200, 200]);
    expectLimited(await asAna(), 'Too many requests from your account.');
    expect((await ask(router, newAddress(), '{ serverTime }', ben.token)).status).toBe(200);
    expect((await ask(router, newAddress())).status).toBe(200);
  });

  const loginAs = (identifier: string, key = 'login') =>
    `${key}: login(input: { identifier: "${identifier}", password: "wrong-1" }) { __typename }`;
  const nobody = () => `${randomUUID()}@example.com`;

  it('logins of an address have a tighter limit; reading goes on', async () => {
    const router = await routerWith({ login: 2 });
    const address = newAddress();
    const login = () => ask(router, address, `mutation { ${loginAs(nobody())} }`);
    expect(await statuses(2, login)).toEqual([200, 200]);
    expectLimited(await login(), 'Too many tries to log in from your address.');
    expect((await ask(router, address)).status).toBe(200);
  });

  it('each alias counts, in fragments too, and a refused operation does nothing', async () => {
    const router = await routerWith({ login: 3, register: 2 });
    const three = `mutation { ${loginAs(nobody(), 'a')} ...More ... on Mutation { ${loginAs(nobody(), 'c')} } }
      fragment More on Mutation { ${loginAs(nobody(), 'b')} }`;
    const address = newAddress();
    expect((await ask(router, address, three)).status).toBe(200);
    const one = `mutation { ${loginAs(nobody())} }`;
    expect((await ask(router, address, one)).status).toBe(429);

    const email = nobody();
    const register = (key: string, to: string) =>
      `${key}: register(input: { name: "N", email: "${to}", password: "pass-${randomUUID()}" }) { __typename }`;
    const threeNew = `mutation { ${register('a', email)} ${register('b', nobody())} ${register('c', nobody())} }`;
    expect((await ask(router, newAddress(), threeNew)).status).toBe(429);
    const { data } = await ask(router, newAddress(), `mutation { ${register('a', email)} }`);
    expect(data.a.__typename).toBe('Session');
  });

  it('refreshing sessions and changing passwords have limits of their own', async () => {
    const router = await routerWith({ login: 1, refresh: 1 });
    const refresh = 'mutation { refreshSession(refreshToken: "none") { __typename } }';
    const change = `mutation { changePassword(input: { currentPassword: "a", newPassword: "b" }) { __typename } }`;
    for (const query of [refresh, change]) {
      const address = newAddress();
      expect(await statuses(2, () => ask(router, address, query))).toEqual([200, 429]);
    }
  });

  it('one identity cannot be tried from many addresses, however it is written', async () => {
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
      ask(router, newAddress(), `mutation { ${loginAs(written[n % 2] as string)} }`);
    expect((await login(0)).status).toBe(200);
    expectLimited(await login(1), 'Too many tries to log in to this account.');
    expect((await ask(router, newAddress(), `mutation { ${loginAs(nobody())} }`)).status).toBe(200);
  });

  it('nor one phone, whatever is written around its number', async () => {
    const router = await routerWith({ identity: 2 });
    const written = ['+12025550143', '+1 (202) 555-0143', ' +1-202-555-0143', '+1.202.555.0143'];
    const codes = [];
    for (const each of written) {
      codes.push((await ask(router, newAddress(), `mutation { ${loginAs(each)} }`)).status);
    }
    expect(codes).toEqual([200, 200, 429, 429]);
    for (const odd of [
      '＋12025550143',
      '+12025550143 ＠0',
      'call +12025550143',
      '+12025550143 ext. 5',
    ]) {
      const login = `mutation { login(input: { identifier: "${odd}", password: "holdfast-demo" }) { __typename } }`;
      expect((await ask(router, newAddress(), login)).data).toMatchObject({
        login: { __typename: 'InvalidCredentials' },
      });
    }
  });

  it('no e-mail address lies in Redis', async () => {
    const router = await routerWith({});
    await ask(router, newAddress(), `mutation { ${loginAs('ana@example.com')} }`);
    const redis = new Redis(`${system.redis.url}/4`);
    const keys = await redis.keys('limit:identity:*');
    await closeRedis(redis);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => /ana|@/.test(key))).toEqual([]);
  });

  it.each(['away', 'hanging'])(
    'with Redis %s it counts in memory, and nobody sees it',
    async (how) => {
      const settings = { TRUST_PROXY: 'loopback' };
      const router = await startRouterBeside(system, settings, { ip: 3 }, limiterCommandMaxMs);
      const address = newAddress();
      await (how === 'away' ? system.redis.kill() : system.redis.pause());
      const replies = await statuses(5, () => ask(router, address));
      await (how === 'away' ? system.redis.restart() : system.redis.resume());
      expect(replies).toEqual([200, 200, 200, 429, 429]);
    },
  );

  it('the standard limits let a person log in and shop', async () => {
    const settings = { RATE_LIMIT_PROFILE: 'standard', TRUST_PROXY: 'loopback' };
    await system.stopPart('router');
    await system.start('router', settings);
    const { data } = await system.graphql(
      `mutation { login(input: { identifier: "ben@example.com", password: "${demoPassword}" }) { ... on Session { accessToken } } }`,
    );
    const token = data.login.accessToken as string;
    expect(await statuses(30, () => system.graphql('{ me { id } }', {}, token))).toEqual(
      Array(30).fill(200),
    );
    const guess = `mutation { ${Array.from({ length: 11 }, (_, n) => loginAs('ana@example.com', `a${n}`)).join(' ')} }`;
    expectLimited(await system.graphql(guess), 'Too many tries to log in to this account.');
  });
});
