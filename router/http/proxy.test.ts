import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { DomainError } from '../../subgraphs/shared/errors.js';
import { sendPlainError } from '../../subgraphs/shared/http/http.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { createSubgraphProxy } from './proxy.js';

const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe('a forwarded request', () => {
  it('is aborted if the client does not read, and its connection is freed', async () => {
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
    const proxy = createSubgraphProxy('warehouse', url, 'router secret', logger, {
      idleMaxMs: 2000,
    });
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
    await once(response, 'close');
    expect(response.writableFinished).toBe(false);

    client.destroy();
    await proxy.close();
    router.close();
    subgraph.close();
  }, 60_000);

  describe('whose response is lost', () => {
    /** The status and code of the response to a client of the router. */
    async function forward(method: string, url: string) {
      const logger = createLogger('test', 'silent');
      const proxy = createSubgraphProxy('warehouse', url, 'router secret', logger);
      const router = createServer((request, response) => {
        proxy.forward(request, response, 'id').catch((error: DomainError) => {
          sendPlainError(response, error);
        });
      });
      const body = ['PUT', 'POST'].includes(method) ? 'sku,quantity' : null;
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

    it('can be tried again if the subgraph refused the connection', async () => {
      const subgraph = createServer();
      const url = await listen(subgraph, '127.0.0.1', 0);
      await close(subgraph);
      expect(await forward('PUT', url)).toMatchObject({ status: 503, code: 'TRY_AGAIN' });
    });
  });
});
