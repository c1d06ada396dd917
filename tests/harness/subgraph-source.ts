import { createServer, type RequestListener } from 'node:http';
import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import type { RouterContext } from '../../router/context.js';
import { SingleFlight } from '../../router/subgraphs/single-flight.js';
import { SubgraphDataSource } from '../../router/subgraphs/subgraph-data-source.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';

interface Operations {
  readonly query?: string;
  /** the type of the client's operation, of which the query may be a part */
  readonly type?: 'query' | 'mutation';
  readonly timeoutMs?: number;
  /** remaining time of each operation */
  readonly leftMs?: readonly number[];
}

/** A data source of the subgraph at an address; `send` returns a response, or what was thrown. */
export function openSource(url: string, timeoutMs = 5000) {
  const source = new SubgraphDataSource({
    name: 'test',
    purpose: 'operations',
    url: `${url}/graphql`,
    credentials: 'router secret',
    timeoutMs,
    connectionsMax: { query: 128, mutation: 96, payment: 128 },
    singleFlight: new SingleFlight(),
    logger: createLogger('test', 'silent'),
  });
  return {
    send(query: string, operation: 'query' | 'mutation', left = Number.POSITIVE_INFINITY) {
      const deadlineMs = performance.now() + left;
      const options = {
        request: { query },
        context: { requestId: 'r', authorization: undefined, address: '', deadlineMs },
        incomingRequestContext: { operation: { operation } },
      } as unknown as GraphQLDataSourceProcessOptions<RouterContext>;
      return source.process(options).catch((error: Error) => error);
    },
    close: () => source.close(),
  };
}

/** Sends one query for each of several operations to a subgraph that responds as the test says. */
export async function sendAll(
  answer: (requests: number) => RequestListener,
  {
    query = '{ a }',
    type = query.startsWith('mutation') ? 'mutation' : 'query',
    timeoutMs = 5000,
    leftMs = [Number.POSITIVE_INFINITY],
  }: Operations = {},
) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(requests)(request, response);
  });
  const source = openSource(await listen(server, '127.0.0.1', 0), timeoutMs);
  const outcomes = await Promise.all(leftMs.map((left) => source.send(query, type, left)));
  await source.close();
  server.closeAllConnections();
  await close(server);
  return { requests, outcomes };
}

export async function send(query: string, answer: (requests: number) => RequestListener) {
  const { requests, outcomes } = await sendAll(answer, { query });
  return { requests, outcome: outcomes[0] };
}

/** Ways in which a subgraph responds, or does not. */
export const data: RequestListener = (_request, response) => response.end('{"data":{"a":1}}');
export const hangUp: RequestListener = (request) => request.socket.destroy();
export const large: RequestListener = (_request, response) =>
  response.end(JSON.stringify({ data: { a: 'x'.repeat(9 * 1024 * 1024) } }));
export const refusal = (code: string) =>
  expect.objectContaining({ extensions: expect.objectContaining({ code }) });
