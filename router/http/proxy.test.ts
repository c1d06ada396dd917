import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
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
});
