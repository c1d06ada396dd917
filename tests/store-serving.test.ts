import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { closeRedis } from '../subgraphs/shared/runtime/redis.js';
import { startRouterBeside, stopRoutersBeside } from './harness/router-beside.js';
import { createStoreBuild, storePage, storePicture, storeScript } from './harness/store-build.js';
import { postGraphQL, startSystem, type TestSystem } from './harness/system.js';

type Router = Awaited<ReturnType<typeof startRouterBeside>>;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join(';');
const pages = [
  ...['/', '/products/trail-running-shoe', '/cart', '/checkout', '/orders', '/orders/01a19467'],
  ...['/login', '/account', '/sale/summer', '/desk', '/desk/stock'],
];
const others = ['/wp-login.php', '/products', '/cart/x', '/index.html', '/package.json', '/assets'];
const fromAddress = (address: string) => ({ 'x-forwarded-for': address });
const account = {
  identifier: 'ana@example.com',
  password: 'public',
  name: 'Ana',
  role: 'CUSTOMER',
};

describe('the store at the router', () => {
  let system: TestSystem;
  let storeFolder: string;
  let router: Router;
  /** Another router, which trusts a proxy on this machine. */
  const routerWith = (
    settings: Record<string, string> = {},
    points: Parameters<typeof startRouterBeside>[2] = {},
    store: Parameters<typeof startRouterBeside>[4] = {},
  ) =>
    startRouterBeside(system, { TRUST_PROXY: 'loopback', ...settings }, points, undefined, {
      storeFolder,
      ...store,
    });
  beforeAll(async () => {
    storeFolder = createStoreBuild();
    system = await startSystem();
  });
  beforeEach(async () => {
    router = await routerWith();
  });
  afterEach(stopRoutersBeside);
  afterAll(async () => {
    await system.stop();
    rmSync(storeFolder, { recursive: true });
  });

  /** Every answer is checked: no cookie, and no redirect. */
  async function get(path: string, init: RequestInit = {}, at = router) {
    const response = await fetch(`${at.url}${path}`, { redirect: 'manual', ...init });
    expect(response.headers.getSetCookie()).toEqual([]);
    return response;
  }
  const settingsOf = async (at: Router) => (await get('/config.json', {}, at)).json();

  it.each(pages)(
    'is the page at %s, with a policy that allows its own files only',
    async (path) => {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers } = await get(path, { method });
        expect(status).toBe(200);
        expect(headers.get('content-security-policy')).toBe(policy);
        expect(headers.get('cache-control')).toBe('no-cache');
        expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
      }
      expect(await (await get(`${path}?from=mail`)).text()).toBe(storePage);
    },
  );

  it('has compressed files, of which those with a hash are immutable', async () => {
    for (const encoding of ['br', 'gzip']) {
      const { status, headers } = await get(storeScript, {
        headers: { 'accept-encoding': encoding },
      });
      expect([status, headers.get('content-encoding')]).toEqual([200, encoding]);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-security-policy')).toBe(policy);
    }
    const etag = (await get(storePicture)).headers.get('etag') as string;
    const again = await get(storePicture, { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  it.each(others)('is not at %s, which is answered 404 as before', async (path) => {
    const { status, headers } = await get(path);
    expect(status).toBe(404);
    expect(headers.get('content-security-policy')).not.toContain('trusted-types');
  });

  it('has no other files, and answers reads only', async () => {
    for (const path of ['/assets/none.js', '/assets/%2e%2e/package.json', '/assets/%2e%2e%2fx']) {
      expect((await get(path)).status).toBe(404);
    }
    for (const path of ['/', '/cart', storeScript, '/config.json']) {
      const { status, headers } = await get(path, { method: 'POST', body: '{}' });
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });

  it('is for its own pages: its answers do not depend on the origin of the request', async () => {
    const origin = 'https://shop.example';
    const other = await routerWith({ CORS_ORIGINS: origin });
    const { headers } = await get(storeScript, { headers: { origin } }, other);
    expect(headers.get('vary')).toBe('accept-encoding');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  it('has pictures that pages of any origin show, and no other such file', async () => {
    const policyOf = async (path: string) =>
      (await get(path)).headers.get('cross-origin-resource-policy');
    expect(await policyOf(storePicture)).toBe('cross-origin');
    for (const path of [
      '/',
      storeScript,
      '/assets/photo.png',
      '/config.json',
      '/assets/pictures',
    ]) {
      expect(await policyOf(path)).toBe('same-origin');
    }
  });

  it('leaves the explorers and the API where they are', async () => {
    const sandbox = await get('/graphql', { headers: { accept: 'text/html' } });
    expect(await sandbox.text()).toContain('EmbeddedSandbox');
    expect((await get('/graphiql')).status).toBe(200);
    expect((await postGraphQL(router.graphqlUrl, '{ __typename }')).status).toBe(200);
  });

  it('has settings that are those of development', async () => {
    const { headers } = await get('/config.json', { method: 'HEAD' });
    expect(headers.get('cache-control')).toBe('no-cache');
    expect(headers.get('content-security-policy')).toBe(policy);
    expect(await settingsOf(router)).toEqual({
      mode: 'development',
      links: { graphiql: '/graphiql', sandbox: '/graphql' },
      payment: { provider: 'sandbox', sandboxUrl: `http://localhost:${system.ports.sandbox}` },
      accounts: [],
    });
    const shown = { messagesUrl: 'http://localhost:4011', accounts: [account] };
    const other = await routerWith({ STORE_DEVELOPMENT: JSON.stringify(shown) });
    expect(await settingsOf(other)).toMatchObject({
      links: { messages: 'http://localhost:4011' },
      accounts: [account],
    });
  });

  it('has settings without links and accounts in production, where it is served too', async () => {
    const other = await routerWith({ NODE_ENV: 'production' });
    expect(await settingsOf(other)).toEqual({
      mode: 'production',
      links: {},
      payment: { provider: 'stripe' },
      accounts: [],
    });
    expect((await get('/cart', {}, other)).status).toBe(200);
    expect((await get('/graphiql', {}, other)).status).toBe(404);
  });

  it('stays with INTROSPECTION=false, without links to the explorers', async () => {
    const other = await routerWith({ INTROSPECTION: 'false' });
    expect((await get('/', {}, other)).status).toBe(200);
    expect((await get('/graphiql', {}, other)).status).toBe(404);
    expect(await settingsOf(other)).toMatchObject({ mode: 'development', links: {} });
  });

  it('refuses invalid settings, and accounts in production', async () => {
    const shown = JSON.stringify({ accounts: [account] });
    for (const [settings, why] of [
      [{ STORE_DEVELOPMENT: shown, NODE_ENV: 'production' }, 'must not be set with NODE_ENV'],
      [{ STORE_DEVELOPMENT: '{' }, 'STORE_DEVELOPMENT is malformed (not JSON)'],
      [{ STORE_PAYMENT_SANDBOX_URL: 'ftp://x' }, 'STORE_PAYMENT_SANDBOX_URL is malformed'],
    ] as const) {
      await expect(routerWith(settings)).rejects.toThrow(why);
    }
  });

  it('can be loaded by an office behind one address, whose API requests it does not use up', async () => {
    const other = await routerWith({ RATE_LIMIT_PROFILE: 'standard' }, { ip: 600 });
    const headers = fromAddress('192.0.2.1');
    const statuses = new Set<number>();
    for (let n = 0; n < 1000; n += 50) {
      const files = Array.from({ length: 50 }, async (_, each) => {
        const path = [storeScript, '/', storePicture, '/config.json'][each % 4] as string;
        const response = await get(path, { headers }, other);
        await response.arrayBuffer();
        statuses.add(response.status);
      });
      await Promise.all(files);
    }
    expect([...statuses]).toEqual([200]);
    const query = '{ __typename }';
    expect((await postGraphQL(other.graphqlUrl, query, {}, undefined, headers)).status).toBe(200);
  });

  it('has a limit of its own for each address', async () => {
    const fileLimit = { points: 3, seconds: 3600 };
    const other = await routerWith({}, {}, { fileLimit });
    const paths = ['/', storeScript, '/config.json', '/', '/assets/none.js'];
    const statuses = [];
    let refused: Response | undefined;
    for (const path of paths) {
      refused = await get(path, { headers: fromAddress('192.0.2.1') }, other);
      statuses.push(refused.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect(refused?.headers.get('cache-control')).toBe('no-store');
    expect(await refused?.json()).toMatchObject({
      errors: [{ extensions: { code: 'RATE_LIMITED' } }],
    });
    expect((await get('/', { headers: fromAddress('192.0.2.2') }, other)).status).toBe(200);
    // Another limit than that of the API.
    const headers = fromAddress('192.0.2.1');
    const api = await postGraphQL(other.graphqlUrl, '{ __typename }', {}, undefined, headers);
    expect(api.status).toBe(200);
  });

  it('counts nothing in Redis, and is served while Redis is down', async () => {
    const other = await routerWith({}, { ip: 1 });
    const headers = fromAddress('192.0.2.77');
    const load = async () => {
      for (const path of ['/', storeScript, '/config.json', '/assets/none.js']) {
        expect((await get(path, { headers }, other)).status).toBe(
          path.includes('none') ? 404 : 200,
        );
      }
    };
    const redis = new Redis(`${system.redis.url}/4`);
    const counted = async () =>
      (await redis.keys('limit:*')).filter((key) => /192\.0\.2\.77/.test(key));
    await load();
    expect(await counted()).toEqual([]);
    await postGraphQL(other.graphqlUrl, '{ __typename }', {}, undefined, headers);
    expect(await counted()).toEqual(['limit:ip:192.0.2.77']);
    await closeRedis(redis);
    await system.redis.kill();
    try {
      await load();
    } finally {
      await system.redis.restart();
    }
  });

  it('says how to build it where it is not built, and everything else works', async () => {
    const other = await routerWith({}, {}, { storeFolder: '/nowhere' });
    const response = await get('/', {}, other);
    expect([response.status, await response.text()]).toEqual([
      404,
      expect.stringContaining('npm run build:web'),
    ]);
    expect((await postGraphQL(other.graphqlUrl, '{ __typename }')).status).toBe(200);
    expect((await get('/config.json', {}, other)).status).toBe(200);
  });
});
