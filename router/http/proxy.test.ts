import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { DomainError } from '../../subgraphs/shared/errors.js';
import { sendPlainError } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { eventually } from '../../tests/harness/wait.js';
import { createSubgraphProxy } from './proxy.js';

const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe('a forwarded request', () => {
  it.each([
    ['does not read', { idleMaxMs: 2000 }, 0],
    ['reads slowly', { pace: { windowMs: 1000, bytesMin: 256 * 1024 } }, 100],
  ])(
    'is aborted if the client %s, and its connection is freed',
    async (_, limits, bytes) => {
      const subgraph = createServer((_, response) => {
        const send = () => {
          while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
        };
        response.on('drain', send);
        send();
      });
      subgraph.listen(0, '127.0.0.1');
      await once(subgraph, 'listening');
      const url = `http://127.0.0.1:${portOf(subgraph)}/graphql`;
      const logger = createLogger('test', 'silent');
      const proxy = createSubgraphProxy('warehouse', url, 'router secret', logger, limits);
      const router = createServer((request, response) => {
        void proxy.forward(request, response, 'id').catch(() => {});
      });
      router.listen(0, '127.0.0.1');
      await once(router, 'listening');

      const requested = once(subgraph, 'request');
      const client = connect(portOf(router), '127.0.0.1');
      client.on('error', () => {});
      client.pause();
      client.write('GET /warehouses/a/stock.csv HTTP/1.1\r\nhost: localhost\r\n\r\n');
      const [, response] = await requested;
      const reading = setInterval(() => client.read(bytes), 50);
      await once(response, 'close');
      clearInterval(reading);
      expect(response.writableFinished).toBe(false);

      client.destroy();
      await proxy.close();
      router.close();
      subgraph.close();
    },
    60_000,
  );

  it('is not aborted while its subgraph is slow, or its client reads a large answer in time', async () => {
    const pieces = 40;
    const subgraph = createServer(async (_, response) => {
      for (let n = 0; n < pieces; n++) {
        response.write('x'.repeat(n === 0 ? 8 * 1024 * 1024 : 1));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      response.end();
    });
    const url = `${await listen(subgraph, '127.0.0.1', 0)}/graphql`;
    const logger = createLogger('test', 'silent');
    const pace = { windowMs: 200, bytesMin: 64 * 1024 };
    const proxy = createSubgraphProxy('warehouse', url, 'router secret', logger, { pace });
    const router = createServer((request, response) => {
      void proxy.forward(request, response, 'id').catch(() => {});
    });
    const answer = await fetch(await listen(router, '127.0.0.1', 0));
    expect(await answer.text()).toHaveLength(8 * 1024 * 1024 + pieces - 1);
    await proxy.close();
    await Promise.all([close(router), close(subgraph)]);
  });

  it.each([
    ['small', 10],
    ['large', 1024 * 1024],
  ])(
    'that is %s and gets no connection in time is not sent, and can be tried again',
    async (_, bytes) => {
      const held: ServerResponse[] = [];
      const subgraph = createServer((request, response) => {
        request.resume();
        held.push(response);
      });
      const url = `${await listen(subgraph, '127.0.0.1', 0)}/graphql`;
      const logger = createLogger('test', 'silent');
      const limits = { connectionsMax: 1 };
      const proxy = createSubgraphProxy('warehouse', url, 'router secret', logger, limits);
      const router = createServer((request, response) => {
        proxy.forward(request, response, 'id').catch((error: DomainError) => {
          sendPlainError(response, error);
        });
      });
      const address = await listen(router, '127.0.0.1', 0);
      const put = () => fetch(address, { method: 'PUT', body: 'x'.repeat(bytes) });
      const first = put();
      await eventually(
        async () => held.length,
        (count) => count === 1,
      );
      const late = await put();
      expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([
        503,
        'TRY_AGAIN',
      ]);
      held[0]?.end('answer');
      expect(await (await first).text()).toBe('answer');
      const next = put();
      await eventually(
        async () => held.length,
        (count) => count === 2,
      );
      held[1]?.end('next');
      expect(await (await next).text()).toBe('next');
      await proxy.close();
      await Promise.all([close(router), close(subgraph)]);
    },
  );

  describe('whose response is lost', () => {
    /** The status and code of the response to a client of the router. */
    async function forward(method: string, url: string, text = 'sku,quantity') {
      const logger = createLogger('test', 'silent');
      const proxy = createSubgraphProxy('warehouse', url, 'router secret', logger);
      const router = createServer((request, response) => {
        proxy.forward(request, response, 'id').catch((error: DomainError) => {
          sendPlainError(response, error);
        });
      });
      const body = ['PUT', 'POST'].includes(method) ? text : null;
      const answer = await fetch(await listen(router, '127.0.0.1', 0), { method, body });
      const { code, message } = JSON.parse((await answer.text()) || '{}');
      await proxy.close();
      await close(router);
      return { status: answer.status, code, message };
    }
    async function whenCut(method: string) {
      const subgraph = createServer((request) => {
        request.on('data', () => {}).once('end', () => request.socket.destroy());
      });
      const answer = await forward(method, await listen(subgraph, '127.0.0.1', 0));
      await close(subgraph);
      return answer;
    }

    it.each(['PUT', 'POST', 'DELETE'])('has an unknown outcome if it is a %s', async (method) => {
      expect(await whenCut(method)).toEqual({
        status: 500,
        code: 'OUTCOME_UNKNOWN',
        message: expect.stringMatching(/with the same Idempotency-Key, or check first/),
      });
    });

    it.each([
      ['GET', 'TRY_AGAIN'],
      ['HEAD', undefined],
    ])('can be tried again if it is a %s', async (method, code) => {
      expect(await whenCut(method)).toMatchObject({ status: 503, code });
    });

    it.each([
      ['small', 10],
      ['large', 1024 * 1024],
    ])(
      'can be tried again if it is %s and the subgraph refused the connection',
      async (_, bytes) => {
        const subgraph = createServer();
        const url = await listen(subgraph, '127.0.0.1', 0);
        await close(subgraph);
        const refused = await forward('PUT', url, 'x'.repeat(bytes));
        expect(refused).toMatchObject({ status: 503, code: 'TRY_AGAIN' });
      },
    );
  });
});
