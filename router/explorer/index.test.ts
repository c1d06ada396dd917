import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage, type RequestOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { jest } from '@jest/globals';
import { createExplorer } from './index.js';

jest.setTimeout(20_000);

const script = '/graphiql/page-ABCD2345.js';
const large = 'x'.repeat(20_000_000);

describe('the files of the explorer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-explorer-'));
  mkdirSync(join(folder, 'graphiql'));
  writeFileSync(join(folder, 'graphiql/index.html'), 'page');
  writeFileSync(join(folder, script), large);
  writeFileSync(join(folder, 'stamp'), 'not for clients');
  const serve = createExplorer(true, [], join(folder, 'graphiql'));
  const opened: Readable[] = [];
  const server = createServer((request, response) => {
    response.once('pipe', (file: Readable) => void opened.push(file));
    try {
      serve(request, response, request.url as string);
    } catch (error) {
      response.writeHead((error as { status: number }).status).end();
    }
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });

  async function request(path: string, options: RequestOptions = {}): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    const [response] = await once(get({ port, path, agent: false, ...options }), 'response');
    return response;
  }

  it('are cached for a year if their name contains a hash, and are revalidated otherwise', async () => {
    const page = await request('/graphiql');
    expect(await text(page)).toBe('page');
    expect(page.headers['cache-control']).toBe('no-cache');
    const part = await request(script, { method: 'HEAD' });
    expect(part.headers['cache-control']).toBe('public,max-age=31536000,immutable');
    part.resume();
  });

  it('are those below /graphiql only, whatever form the path has', async () => {
    for (const path of ['/graphiql/../stamp', '/graphiql/%2e%2e/stamp', '/graphiql/%']) {
      const { statusCode } = (await request(path)).resume();
      expect(statusCode).toBe(404);
    }
  });

  it('are those of a new build as soon as it has written its page', async () => {
    const page = join(folder, 'graphiql/index.html');
    writeFileSync(page, 'another page');
    utimesSync(page, new Date(), new Date(Date.now() + 1000));
    writeFileSync(join(folder, 'graphiql/new-ABCD2345.js'), 'new');
    expect(await text(await request('/graphiql'))).toBe('another page');
    expect(await text(await request('/graphiql/new-ABCD2345.js'))).toBe('new');
    writeFileSync(page, 'page');
  });

  it('are sent whole, also for a range request', async () => {
    for (const range of ['bytes=10-5', 'bytes=0-1', 'bytes=0-99999999999999999999']) {
      const response = await request('/graphiql', { headers: { range } });
      expect([response.statusCode, await text(response)]).toEqual([200, 'page']);
    }
  });

  it('are closed when the client disconnects', async () => {
    opened.length = 0;
    const response = await request(script);
    response.destroy();
    await once(opened[0] as Readable, 'close');
    expect(opened[0]?.destroyed).toBe(true);
  });

  it('close the connection if a file can no longer be read', async () => {
    rmSync(join(folder, script));
    await expect(request(script)).rejects.toThrow('socket hang up');
  });
});
