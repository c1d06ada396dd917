import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { watchSubgraphs } from './subgraph-health.js';

describe('the health of a subgraph', () => {
  it('is good while it answers requests, also if it is too busy to answer pings in time', async () => {
    let isBusy = false;
    const server = createServer((_request, response) => {
      if (!isBusy) response.end('{"data":{"__typename":"Query"}}');
    });
    const url = await listen(server, '127.0.0.1', 0);
    const logger = createLogger('test', 'silent');
    const health = watchSubgraphs(new Map([['order', url]]), 'router secret', logger);
    await health.check();
    isBusy = true;
    // Longer than three pings take.
    for (let tenths = 0; tenths < 60; tenths++) {
      health.answered('order');
      await sleep(100);
    }
    await health.check();
    const isAway = async () => {
      for (;;) {
        await health.check();
        await sleep(100);
      }
    };
    await expect(isAway()).rejects.toThrow('no response from order');
    await health.stop();
    server.closeAllConnections();
    await close(server);
  }, 60_000);
});
