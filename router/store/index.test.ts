import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Logger } from '../../subgraphs/shared/observability/logger.js';
import {
  createStoreBuild,
  storePage,
  storePicture,
  storeScript,
  writeStoreFile,
} from '../../tests/harness/store-build.js';
import { watchBuild } from './build-folder.js';
import { createStore } from './index.js';
import type { StoreSettings } from './settings.js';

const settings: StoreSettings = {
  mode: 'development',
  links: {},
  payment: { provider: 'stripe' },
  accounts: [],
};
const year = 'public, max-age=31536000, immutable';

describe('the files of the store', () => {
  let folder: string;
  let serve: ReturnType<typeof createStore>;
  let counted: string[] = [];
  let warnings: string[] = [];
  const create = (changed: Partial<StoreSettings> = {}) =>
    createStore({
      settings: { ...settings, ...changed },
      consumeFileLimit: (address) => void counted.push(address),
      logger: { warn: (_: object, text: string) => void warnings.push(text) } as unknown as Logger,
      folder,
    });
  const server = createServer((request, response) => {
    try {
      serve(request, response, request.url as string, '192.0.2.1');
    } catch (error) {
      const { status = 500, message } = error as { status?: number; message: string };
      response.writeHead(status).end(message);
    }
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  beforeEach(() => {
    folder = createStoreBuild();
    counted = [];
    warnings = [];
    serve = create();
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  /** `path` is sent as it is: `fetch` would remove `..`. */
  async function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
    const { port } = server.address() as AddressInfo;
    const request = send({ port, path, method, headers, agent: false }).end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const body = await buffer(response);
    return { status: response.statusCode, headers: response.headers, body, text: String(body) };
  }

  it.each(['/', '/cart', '/checkout/', '/orders', '/orders/1', '/products/trail', '/sale/1'])(
    'are the page at %s, which is revalidated',
    async (path) => {
      const { status, headers, text } = await get(path);
      expect([status, text]).toEqual([200, storePage]);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'content-length': String(Buffer.byteLength(storePage)),
        'cache-control': 'no-cache',
        vary: 'accept-encoding',
      });
    },
  );

  it.each([
    [storeScript, 'text/javascript; charset=utf-8', year],
    ['/assets/store-ABCD2345.js.map', 'application/json; charset=utf-8', year],
    ['/assets/store-WXYZ6789.css', 'text/css; charset=utf-8', year],
    ['/assets/inter-FONT2345.woff2', 'font/woff2', year],
    ['/assets/store-ABCD2345.js.LEGAL.txt', 'text/plain; charset=utf-8', year],
    [storePicture, 'image/svg+xml; charset=utf-8', 'no-cache'],
    ['/assets/photo.png', 'image/png', 'no-cache'],
    ['/assets/photo.webp', 'image/webp', 'no-cache'],
    ['/assets/favicon.ico', 'image/x-icon', 'no-cache'],
    ['/assets/data.json', 'application/json; charset=utf-8', 'no-cache'],
    ['/assets/pictures/tra%69l.svg', 'image/svg+xml; charset=utf-8', 'no-cache'],
  ])(
    'at %s have their type, and are cached for a year if their name has a hash',
    async (...row) => {
      const [path, type, caching] = row;
      const { status, headers } = await get(path);
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        200,
        type,
        caching,
      ]);
    },
  );

  it('have the encoding that the client prefers, and of equal ones the smallest', async () => {
    const plain = await get(storeScript);
    expect(plain.headers['content-encoding']).toBeUndefined();
    const decoders = { br: brotliDecompressSync, gzip: gunzipSync };
    for (const [accepted, encoding] of [
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip', 'gzip'],
      ['*', 'br'],
      ['gzip;q=1, br;q=0.5', 'gzip'],
      ['br;q=0, gzip;q=0, *;q=0', undefined],
      ['identity', undefined],
      ['zstd', undefined],
    ] as const) {
      const { headers, body } = await get(storeScript, { 'accept-encoding': accepted });
      expect([accepted, headers['content-encoding']]).toEqual([accepted, encoding]);
      expect(headers['content-length']).toBe(String(body.length));
      expect(headers.vary).toBe('accept-encoding');
      const decoded = encoding ? decoders[encoding](body) : body;
      expect(decoded.equals(plain.body)).toBe(true);
      if (encoding) expect(body.length).toBeLessThan(plain.body.length);
    }
    const font = await get('/assets/inter-FONT2345.woff2', { 'accept-encoding': 'br' });
    expect(font.headers['content-encoding']).toBeUndefined();
  });

  it('are answered 304, without a body, to a client that has the same representation', async () => {
    for (const path of ['/cart', storePicture, storeScript, '/config.json']) {
      const headers = { 'accept-encoding': 'br' };
      const { etag = '', 'cache-control': caching } = (await get(path, headers)).headers;
      expect(etag).toMatch(/^"[\w-]+-br"$/);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
        const again = await get(path, { ...headers, 'if-none-match': known });
        expect([again.status, again.text]).toEqual([304, '']);
        expect(again.headers).toMatchObject({ etag, vary: 'accept-encoding' });
        expect(again.headers['cache-control']).toBe(caching);
      }
      expect((await get(path, { 'if-none-match': etag })).status).toBe(200);
      expect((await get(path, { ...headers, 'if-none-match': '"other"' })).status).toBe(200);
    }
  });

  it('ignore an Accept-Encoding or If-None-Match that is too long to compare', async () => {
    const { etag = '' } = (await get(storeScript, { 'accept-encoding': 'br' })).headers;
    const fill = (start: string, length: number) =>
      `${start},${'a,'.repeat(8000)}`.slice(0, length);
    const longestKnown = { 'accept-encoding': fill('br', 200), 'if-none-match': fill(etag, 200) };
    expect((await get(storeScript, longestKnown)).status).toBe(304);
    // Node.js refuses headers of more than 16 KiB in all.
    for (const length of [201, 15_500]) {
      const encoded = await get(storeScript, { 'accept-encoding': fill('br', length) });
      expect([encoded.status, encoded.headers['content-encoding']]).toEqual([200, undefined]);
      const headers = { 'accept-encoding': 'br', 'if-none-match': fill(etag, length) };
      expect((await get(storeScript, headers)).status).toBe(200);
    }
  });

  it('have the same headers for HEAD, without a body', async () => {
    for (const path of ['/', storeScript, '/config.json']) {
      const [got, head] = [await get(path), await get(path, {}, 'HEAD')];
      expect(head.headers).toEqual({ ...got.headers, date: expect.anything() });
      expect([head.status, head.text]).toEqual([200, '']);
    }
  });

  it('are read only: other methods are answered 405', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      for (const path of ['/', '/assets/none.js', '/config.json']) {
        const { status, headers } = await get(path, {}, method);
        expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
      }
    }
  });

  it.each([
    ...['/assets/none.js', '/assets/', '/assets/pictures', '/assets/store-ABCD2345.js.new'],
    ...['/assets/../stamp.txt', '/assets/%2e%2e/stamp.txt', '/assets/..%2fstamp.txt'],
    ...['/assets/../index.html', '/assets//photo.png', '/assets/./photo.png', '/assets/photo.PNG'],
    ...['/assets/%', '/assets/%c3', '/assets/photo.png%00', '/products/%', '/assets/__proto__'],
  ])('are no others: %s is answered 404, which must not be cached', async (path) => {
    const { status, headers } = await get(path);
    expect([status, headers['cache-control']]).toEqual([404, 'no-store']);
    expect(headers.etag).toBeUndefined();
  });

  it('are sent whole, also for a range request', async () => {
    const { status, text } = await get('/', { range: 'bytes=0-1' });
    expect([status, text]).toEqual([200, storePage]);
  });

  it('count for the limit of their address, whatever the answer is', async () => {
    for (const path of ['/', storeScript, '/config.json', '/assets/none.js']) await get(path);
    await get('/', {}, 'POST');
    expect(counted).toEqual(Array(5).fill('192.0.2.1'));
  });

  it('are those of a new build once it has written its page, and earlier assets stay', async () => {
    writeStoreFile(folder, '/assets/store-NEWW2345.js', 'new', 1);
    expect((await get('/assets/store-NEWW2345.js')).status).toBe(404);
    writeStoreFile(folder, storePicture, '<svg>changed</svg>', 1);
    rmSync(join(folder, storeScript));
    writeStoreFile(folder, 'index.html', 'another page', 0);
    expect((await get('/')).text).toBe('another page');
    expect((await get('/assets/store-NEWW2345.js')).text).toBe('new');
    expect((await get(storePicture)).text).toBe('<svg>changed</svg>');
    expect((await get(storeScript)).status).toBe(200);
  });

  it('are read once in production', async () => {
    serve = create({ mode: 'production' });
    rmSync(join(folder, storeScript));
    writeStoreFile(folder, 'index.html', 'another page', 0);
    expect((await get('/')).text).toBe(storePage);
    expect((await get(storeScript)).status).toBe(200);
  });

  it('are not there without a build, except the settings', async () => {
    rmSync(join(folder, 'index.html'));
    serve = create();
    for (const path of ['/', storeScript]) {
      const { status, text } = await get(path);
      expect([status, text]).toEqual([404, 'The store is not built. Run npm run build:web.']);
    }
    expect(JSON.parse((await get('/config.json')).text)).toEqual(settings);
    writeStoreFile(folder, 'index.html', storePage, 0);
    expect((await get('/')).status).toBe(200);
  });

  it('are not there without a build in production until the router restarts, which logs it', async () => {
    rmSync(join(folder, 'index.html'));
    serve = create({ mode: 'production' });
    expect(warnings).toEqual(['store build not found']);
    const sentence = 'The store is not built. Run npm run build:web, then restart the router.';
    expect((await get('/')).text).toBe(sentence);
    writeStoreFile(folder, 'index.html', storePage, 0);
    expect([(await get('/')).status, (await get('/')).text]).toEqual([404, sentence]);
    serve = create({ mode: 'production' });
    expect((await get('/')).status).toBe(200);
    expect(warnings).toHaveLength(1);
  });

  it('do not need assets, and of too many the oldest are dropped', () => {
    writeStoreFile(folder, '/assets/old-ABCD2345.js', 'x'.repeat(100_000), 3600);
    writeStoreFile(folder, '/assets/new-ABCD2345.js', 'x'.repeat(100_000), 1);
    const kept = watchBuild(folder, true, 150_000).current()?.assets;
    expect(kept?.has('/assets/new-ABCD2345.js')).toBe(true);
    expect(kept?.has(storeScript)).toBe(true);
    expect(kept?.has('/assets/old-ABCD2345.js')).toBe(false);
    rmSync(join(folder, 'assets'), { recursive: true });
    expect(watchBuild(folder, true).current()?.assets.size).toBe(0);
  });
});
