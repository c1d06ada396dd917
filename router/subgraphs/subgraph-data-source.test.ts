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

interface Operations {
  readonly query?: string;
  readonly timeoutMs?: number;
  /** remaining time of each operation */
  readonly leftMs?: readonly number[];
}

/** Sends one query for each of several operations to a subgraph that responds as the test says. */
async function sendAll(
  answer: (requests: number) => RequestListener,
  { query = '{ a }', timeoutMs = 5000, leftMs = [Number.POSITIVE_INFINITY] }: Operations = {},
) {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    answer(requests)(request, response);
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
  return { requests, outcomes: all };
}

async function send(query: string, answer: (requests: number) => RequestListener) {
  const { requests, outcomes } = await sendAll(answer, { query });
  return { requests, outcome: outcomes[0] };
}

const data: RequestListener = (_request, response) => response.end('{"data":{"a":1}}');
const hangUp: RequestListener = (request) => request.socket.destroy();
const refusal = (code: string) =>
  expect.objectContaining({ extensions: expect.objectContaining({ code }) });

describe('a subgraph that does not respond', () => {
  it('receives a query a second time, after a pause', async () => {
    const { requests, outcome } = await send('{ a }', (n) => (n < 2 ? hangUp : data));
    expect(outcome).toEqual({ data: { a: 1 } });
    expect(requests).toBe(2);
  });

  it('receives a query twice at most', async () => {
    const { requests, outcome } = await send('query { a }', () => hangUp);
    expect(outcome).toEqual(refusal('TRY_AGAIN'));
    expect(requests).toBe(2);
  });

  it('never receives a mutation twice', async () => {
    const { requests, outcome } = await send('mutation M { a }', () => hangUp);
    expect(outcome).toEqual(refusal('TRY_AGAIN'));
    expect(requests).toBe(1);
  });

  it('is not read beyond eight megabytes', async () => {
    const large: RequestListener = (_request, response) =>
      response.end(JSON.stringify({ data: { a: 'x'.repeat(9 * 1024 * 1024) } }));
    const { requests, outcome } = await send('{ a }', () => large);
    expect(outcome).toEqual(refusal('BAD_USER_INPUT'));
    expect(requests).toBe(1);
  });
});

describe('an operation that waits for a subgraph', () => {
  const answerAfter =
    (ms: number): RequestListener =>
    (request, response) =>
      setTimeout(() => data(request, response), ms);

  it('waits until its own deadline, whichever operation sent the request', async () => {
    const waiting = { leftMs: [150, 10_000] };
    const { requests, outcomes } = await sendAll(() => answerAfter(600), waiting);
    expect(outcomes).toEqual([refusal('TRY_AGAIN'), { data: { a: 1 } }]);
    expect(requests).toBe(1);
  });

  it('does not wait longer than its own deadline for a request with a later one', async () => {
    const waiting = { leftMs: [10_000, 150] };
    const { outcomes } = await sendAll(() => answerAfter(600), waiting);
    expect(outcomes).toEqual([{ data: { a: 1 } }, refusal('TRY_AGAIN')]);
  });

  it('sends no request after its deadline', async () => {
    const { requests, outcomes } = await sendAll(() => data, { leftMs: [0] });
    expect(outcomes).toEqual([refusal('TRY_AGAIN')]);
    expect(requests).toBe(0);
  });

  it('gives up a response that arrives byte by byte, at the timeout of the subgraph', async () => {
    const drops: RequestListener = (_request, response) => {
      const dripping = setInterval(() => response.write(' '), 50);
      response.once('close', () => clearInterval(dripping));
    };
    const { outcomes } = await sendAll(() => drops, { timeoutMs: 300 });
    expect(outcomes).toEqual([refusal('TRY_AGAIN')]);
  });
});

describe('a request to a subgraph', () => {
  it('waits for a connection no longer than the timeout of the subgraph', async () => {
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

  it('is not a timeout of the subgraph if the deadline of the operation came first', async () => {
    const server = createServer(() => {});
    const pool = new Pool(await listen(server, '127.0.0.1', 0));
    const request = { path: '/', headers: {}, body: '{}' };
    const late = post(pool, request, { atMs: performance.now() + 100 }, 5000);
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError', isSubgraphTimeout: false });
    await pool.destroy();
    await close(server);
  });
});
