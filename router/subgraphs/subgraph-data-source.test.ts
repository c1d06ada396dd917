import { createServer, type RequestListener } from 'node:http';
import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { Pool } from 'undici';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import type { RouterContext } from '../context.js';
import { DeadlineExceeded } from './deadlines.js';
import { post } from './post.js';
import { SingleFlight } from './single-flight.js';
import { SubgraphDataSource } from './subgraph-data-source.js';

interface Asking {
  readonly query?: string;
  readonly timeoutMs?: number;
  /** for each who asks, how long the operation has */
  readonly leftMs?: readonly number[];
}

/** The router's requests to a subgraph that answers as the test says: their number and duration. */
async function askAll(
  answer: (asked: number) => RequestListener,
  { query = '{ a }', timeoutMs = 5000, leftMs = [Number.POSITIVE_INFINITY] }: Asking = {},
) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    answer(asked)(request, response);
  });
  const url = await listen(server, '127.0.0.1', 0);
  const source = new SubgraphDataSource({
    name: 'test',
    url: `${url}/graphql`,
    credentials: 'router secret',
    timeoutMs,
    singleFlight: new SingleFlight(),
    logger: createLogger('test', 'silent'),
  });
  const outcomes = leftMs.map(async (left) => {
    const deadlineMs = performance.now() + left;
    const options = {
      request: { query },
      context: { requestId: 'r', authorization: undefined, address: '', deadlineMs },
      incomingRequestContext: { operation: { operation: 'query' } },
    } as unknown as GraphQLDataSourceProcessOptions<RouterContext>;
    return source.process(options).catch((error: Error) => error);
  });
  const all = await Promise.all(outcomes);
  await source.close();
  server.closeAllConnections();
  await close(server);
  return { asked, outcomes: all };
}

async function ask(query: string, answer: (asked: number) => RequestListener) {
  const { asked, outcomes } = await askAll(answer, { query });
  return { asked, outcome: outcomes[0] };
}

const data: RequestListener = (_request, response) => response.end('{"data":{"a":1}}');
const hangUp: RequestListener = (request) => request.socket.destroy();
const refusal = (code: string) =>
  expect.objectContaining({ extensions: expect.objectContaining({ code }) });

describe('a subgraph that does not respond', () => {
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

describe('who waits for a subgraph', () => {
  const answerAfter =
    (ms: number): RequestListener =>
    (request, response) =>
      setTimeout(() => data(request, response), ms);

  it('waits as long as their own operation has, whoever asked first', async () => {
    const waiting = { leftMs: [150, 10_000] };
    const { asked, outcomes } = await askAll(() => answerAfter(600), waiting);
    expect(outcomes).toEqual([refusal('TRY_AGAIN'), { data: { a: 1 } }]);
    expect(asked).toBe(1);
  });

  it('does not make somebody wait who has less time than who asked first', async () => {
    const waiting = { leftMs: [10_000, 150] };
    const { outcomes } = await askAll(() => answerAfter(600), waiting);
    expect(outcomes).toEqual([{ data: { a: 1 } }, refusal('TRY_AGAIN')]);
  });

  it('does not ask at all once the operation has no time left', async () => {
    const { asked, outcomes } = await askAll(() => data, { leftMs: [0] });
    expect(outcomes).toEqual([refusal('TRY_AGAIN')]);
    expect(asked).toBe(0);
  });

  it('gives up an answer that comes in drops, once the subgraph has had its time', async () => {
    const drops: RequestListener = (_request, response) => {
      const dripping = setInterval(() => response.write(' '), 50);
      response.once('close', () => clearInterval(dripping));
    };
    const { outcomes } = await askAll(() => drops, { timeoutMs: 300 });
    expect(outcomes).toEqual([refusal('TRY_AGAIN')]);
  });
});

describe('a request to a subgraph', () => {
  it('waits for a connection no longer than for an answer', async () => {
    let arrived = 0;
    const server = createServer(() => {
      arrived += 1;
    });
    const pool = new Pool(await listen(server, '127.0.0.1', 0), { connections: 1 });
    const request = { path: '/', headers: {}, body: '{}' };
    const deadline = { atMs: Number.POSITIVE_INFINITY };
    const all = Array.from({ length: 3 }, () => post(pool, request, deadline, 200));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map((each) => each.status === 'rejected' && each.reason)).toEqual(
      Array(3).fill(new DeadlineExceeded(true)),
    );
    // The last of them never left the queue.
    expect(arrived).toBeLessThan(3);
    await pool.destroy();
    await close(server);
  });

  it('is not the fault of a subgraph that had less than its time', async () => {
    const server = createServer(() => {});
    const pool = new Pool(await listen(server, '127.0.0.1', 0));
    const request = { path: '/', headers: {}, body: '{}' };
    const late = post(pool, request, { atMs: performance.now() + 100 }, 5000);
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError', isSubgraphTimeout: false });
    await pool.destroy();
    await close(server);
  });
});
