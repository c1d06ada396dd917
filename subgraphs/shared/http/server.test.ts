import { connect, type Socket } from 'node:net';
import { createLogger } from '../observability/logger.js';
import { Registry } from '../observability/metrics.js';
import { readBody } from './http.js';
import { clientKeepAlive } from './keep-alive.js';
import { startServer } from './server.js';

const lines: string[] = [];
const logger = createLogger('test', 'info', {
  destination: { write: (line) => void lines.push(line) },
});

/** A server whose requests wait until they are released. */
async function startSlowServer(requestMaxMs?: number) {
  const waiting: Array<() => void> = [];
  const order: string[] = [];
  const service = await startServer({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    opsPort: 0,
    logger,
    registry: new Registry(),
    requestLog: { level: 'info', slowMs: 1000, linesPerSecond: 10 },
    ...(requestMaxMs && { requestMaxMs }),
    async handle(request, response) {
      if (request.url === '/fault') throw new Error('a fault with details');
      if (request.method === 'POST') await readBody(request, 1000);
      else await new Promise<void>((resolve) => waiting.push(resolve));
      order.push('answered');
      response.end('done');
    },
    readiness: {
      yes: async () => true,
      slow: () => new Promise((resolve) => waiting.push(() => resolve(0))),
    },
    onStop: [async () => order.push('closed')],
  });
  return { service, waiting, order };
}

describe('a server', () => {
  it('completes requests in flight before it closes their dependencies, and accepts no new ones', async () => {
    const { service, waiting, order } = await startSlowServer();
    const request = fetch(service.url);
    while (waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const stopping = service.stop();
    await expect(fetch(service.url)).rejects.toThrow();
    const ready = await fetch(`${service.opsUrl}/readyz?exclude=yes&exclude=slow`);
    expect(ready.status).toBe(503);
    for (const release of waiting.splice(0)) release();
    expect(await (await request).text()).toBe('done');
    await stopping;
    expect(order).toEqual(['answered', 'closed']);
  });

  it('keeps an idle connection much longer than our own clients, so that the client closes first', async () => {
    const { service } = await startSlowServer();
    const { headers } = await fetch(service.url, { method: 'POST', body: '{}' });
    await service.stop();
    const seconds = Number(headers.get('keep-alive')?.replace('timeout=', ''));
    expect(seconds * 1000).toBeGreaterThan(10 * clientKeepAlive.keepAliveMaxTimeout);
  });

  it('does not wait at its stop for connections without a request, or with half of one', async () => {
    const { service } = await startSlowServer();
    const { port } = new URL(service.url);
    const open = (text: string) =>
      new Promise<Socket>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => {
          if (text) socket.write(text);
          resolve(socket);
        });
      });
    const sockets = await Promise.all([open(''), open('POST / HTTP/1.1\r\nhost: half')]);
    const ended = sockets.map(
      (socket) => new Promise((resolve) => socket.on('error', resolve).on('close', resolve)),
    );
    await service.stop();
    await Promise.all(ended);
  });

  it('is alive but not ready while a dependency does not respond', async () => {
    const { service, waiting } = await startSlowServer();
    expect((await fetch(`${service.opsUrl}/healthz`)).status).toBe(200);
    const ready = await fetch(`${service.opsUrl}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ ready: false, stopping: false, yes: true, slow: false });
    const enough = await fetch(`${service.opsUrl}/readyz?exclude=slow&exclude=none`);
    expect(enough.status).toBe(200);
    expect(await enough.json()).toEqual({
      ready: true,
      stopping: false,
      yes: true,
      unknown: ['none'],
    });
    for (const release of waiting) release();
    for (const path of ['/other', '/readyzz', '//']) {
      expect((await fetch(`${service.opsUrl}${path}`)).status).toBe(404);
    }
    await service.stop();
  });

  it('hides the details of a fault from the client, and logs them with the id of the request', async () => {
    const { service } = await startSlowServer();
    const headers = { 'x-request-id': 'the request' };
    const response = await fetch(`${service.url}/fault`, { headers });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('details');
    const requestId = response.headers.get('x-request-id') as string;
    expect(requestId).not.toBe('the request'); // an id with a space is replaced
    const line = lines.find((text) => text.includes('a fault with details')) as string;
    expect(JSON.parse(line).requestId).toBe(requestId);
    await service.stop();
  });

  it('closes the connection of a client that never completes its request', async () => {
    const { service } = await startSlowServer(50);
    const { port } = new URL(service.url);
    const halves = [
      'POST / HTTP/1.1\r\nhost: half',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf',
    ];
    for (const half of halves) {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(half));
      let answer = '';
      for await (const chunk of socket) answer += chunk;
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
    }
    await service.stop();
    const faults = lines.filter((text) => text.includes('request failed'));
    expect(faults.filter((text) => text.includes('aborted'))).toEqual([]);
  });

  it('exposes its metrics on the operations port', async () => {
    const { service } = await startSlowServer();
    const response = await fetch(`${service.opsUrl}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(response.status).toBe(200);
    await service.stop();
  });
});
