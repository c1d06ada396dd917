import { createServer, type RequestListener } from 'node:http';
import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { createLogger } from '../subgraphs/shared/logger.js';
import { close, listen } from '../subgraphs/shared/server.js';
import { InFlight } from './in-flight.js';
import { type RouterContext, SubgraphDataSource } from './subgraph-data-source.js';

/** What the router asks of a subgraph that answers as told, and how often it asked. */
async function ask(query: string, answer: (asked: number) => RequestListener) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    answer(asked)(request, response);
  });
  const url = await listen(server, '127.0.0.1', 0);
  const logger = createLogger('test', 'silent');
  const source = new SubgraphDataSource({
    name: 'test',
    url: `${url}/graphql`,
    credentials: 'router secret',
    timeoutMs: 5000,
    inFlight: new InFlight(),
    logger,
  });
  const options = {
    request: { query },
    context: { requestId: 'r', authorization: undefined, address: '', deadlineMs: Infinity },
  } as unknown as GraphQLDataSourceProcessOptions<RouterContext>;
  const outcome = await source.process(options).catch((error: Error) => error);
  await source.close();
  await close(server);
  return { asked, outcome };
}

const data: RequestListener = (_request, response) => response.end('{"data":{"a":1}}');
const hangUp: RequestListener = (request) => request.socket.destroy();
const refusal = (code: string) =>
  expect.objectContaining({ extensions: expect.objectContaining({ code }) });

describe('a subgraph that does not answer', () => {
  it('is asked a query again, some time later', async () => {
    const { asked, outcome } = await ask('{ a }', (n) => (n < 2 ? hangUp : data));
    expect(outcome).toEqual({ data: { a: 1 } });
    expect(asked).toBe(2);
  });

  it('is asked twice at most', async () => {
    const { asked, outcome } = await ask('query { a }', () => hangUp);
    expect(outcome).toEqual(refusal('TRY_AGAIN'));
    expect(asked).toBe(2);
  });

  it('is never asked a mutation again', async () => {
    const { asked, outcome } = await ask('mutation M { a }', () => hangUp);
    expect(outcome).toEqual(refusal('TRY_AGAIN'));
    expect(asked).toBe(1);
  });

  it('with less than eight megabytes is not listened to', async () => {
    const large: RequestListener = (_request, response) =>
      response.end(JSON.stringify({ data: { a: 'x'.repeat(9 * 1024 * 1024) } }));
    const { asked, outcome } = await ask('{ a }', () => large);
    expect(outcome).toEqual(refusal('BAD_USER_INPUT'));
    expect(asked).toBe(1);
  });
});
