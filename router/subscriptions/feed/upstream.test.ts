import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { createLogger } from '../../../subgraphs/shared/observability/logger.js';
import { eventually } from '../../../tests/harness/wait.js';
import { connectUpstream } from './upstream.js';

const schema = buildSchema('type Query { a: Int } type Subscription { a: Int }');
const unavailableMs = 1000;

/** A subgraph whose subscriptions send one event each. */
async function startSubgraph(port: number) {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  let subscriptions = 0;
  useServer(
    {
      schema,
      subscribe: async function* () {
        subscriptions += 1;
        yield { data: { a: 1 } };
        await new Promise(() => {});
      } as never,
    },
    sockets,
  );
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    subscriptions: () => subscriptions,
    async stop(close: 'terminate' | 'close') {
      for (const socket of sockets.clients) {
        if (close === 'terminate') socket.terminate();
        else socket.close(1000, 'Normal Closure');
      }
      await new Promise((resolve) => server.close(resolve));
      sockets.close();
    },
  };
}

describe('the subscriptions at a subgraph', () => {
  it.each(['terminate', 'close'] as const)(
    'are opened again after it was away (%s), each once, and each says so before its snapshot',
    async (how) => {
      const subgraph = await startSubgraph(0);
      const url = `http://127.0.0.1:${subgraph.port}/graphql`;
      const logger = createLogger('test', 'silent');
      const upstream = connectUpstream('stock', url, 'router secret', logger);
      const seen = Array.from({ length: 50 }, () => [] as string[]);
      const stops = seen.map((calls) =>
        upstream.subscribe(
          { query: 'subscription { a }' },
          {
            next: () => void calls.push('event'),
            reconnected: () => void calls.push('reconnected'),
            error: () => void calls.push('error'),
            complete: () => void calls.push('complete'),
          },
        ),
      );
      const allHave = (count: number) =>
        eventually(
          async () => seen.filter(({ length }) => length < count).length,
          (fewer) => fewer === 0,
        );
      await allHave(1);
      await subgraph.stop(how);
      await sleep(unavailableMs);
      const again = await startSubgraph(subgraph.port);
      await allHave(3);
      expect(seen).toEqual(Array(50).fill(['event', 'reconnected', 'event']));
      expect(again.subscriptions()).toBe(50);
      for (const stop of stops) stop();
      await upstream.close();
      await again.stop('terminate');
      expect(seen).toEqual(Array(50).fill(['event', 'reconnected', 'event']));
    },
  );
});
