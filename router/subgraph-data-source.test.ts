import { createServer, type RequestListener } from 'node:http';
import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway';
import { createLogger } from '../subgraphs/shared/logger.js';
import { close, listen } from '../subgraphs/shared/server.js';
import { InFlight } from './in-flight.js';
import { type RouterContext, SubgraphDataSource } from './subgraph-data-source.js';

/** A subgraph that answers as told, and how the router asks it. */
async function startSource(answer: (asked: number) => RequestListener, timeoutMs = 5000) {
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
    timeoutMs,
    inFlight: new InFlight(),
    logger,
  });
  return {
    asked: () => asked,
    ask(query: string, deadlineMs = Number.POSITIVE_INFINITY) {
      const options = {
        request: { query },
        incomingRequestContext: { operation: { operation: 'query' } },
        context: { requestId: 'r', authorization: undefined, address: '', deadlineMs },
      } as unknown as GraphQLDataSourceProcessOptions<RouterContext>;
      return source.process(options).catch((error: Error) => error);
    },
    async stop() {
      await source.close();
      server.closeAllConnections();
      await close(server);
    },
  };
}

/** What the router asks of a subgraph that answers as told, and how often it asked. */
async function ask(query: string, answer: (asked: number) => RequestListener) {
  const source = await startSource(answer);
  const outcome = await source.ask(query);
  await source.stop();
  return { asked: source.asked(), outcome };
}

const data: RequestListener = (_request, response) => response.end('{"data":{"a":1}}');
const hangUp: RequestListener = (request) => request.socket.destroy();
const hang: RequestListener = () => {};
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

describe('time limits', () => {
  const connectionsMax = 128;

  it('hold for a body that trickles in', async () => {
    const trickle: RequestListener = (_request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
    };
    const source = await startSource(() => trickle, 300);
    expect(await source.ask('{ a }')).toEqual(refusal('TRY_AGAIN'));
    await source.stop();
  });

  it('hold for what waits until a connection is free', async () => {
    const source = await startSource(() => hang, 1000);
    const all = Array.from({ length: 2 * connectionsMax }, (_, n) => source.ask(`{ a${n} }`));
    expect(await Promise.all(all)).toEqual(Array(all.length).fill(refusal('TRY_AGAIN')));
    expect(source.asked()).toBe(connectionsMax);
    await source.stop();
  });

  it('are each one’s own where several wait for one answer', async () => {
    let letGo = () => {};
    const source = await startSource(() => (request, response) => {
      letGo = () => data(request, response);
    });
    const first = source.ask('{ a }', performance.now() + 300);
    const second = source.ask('{ a }', performance.now() + 60_000);
    const third = source.ask('{ a }', performance.now() + 300);
    expect([await first, await third]).toEqual([refusal('TRY_AGAIN'), refusal('TRY_AGAIN')]);
    letGo();
    expect(await second).toEqual({ data: { a: 1 } });
    expect(source.asked()).toBe(1);
    await source.stop();
  });

  it('that passed before a subgraph was asked are no fault of it', async () => {
    const source = await startSource(() => data);
    const late = Array.from({ length: 200 }, (_, n) => source.ask(`{ a${n} }`, performance.now()));
    expect(await Promise.all(late)).toEqual(Array(200).fill(refusal('TRY_AGAIN')));
    expect(await source.ask('{ a }')).toEqual({ data: { a: 1 } });
    expect(source.asked()).toBe(1);
    await source.stop();
  });

  it('of operations that are short of time are no fault of the subgraph', async () => {
    const source = await startSource((n) => (n <= 100 ? hang : data));
    const soon = performance.now() + 300;
    const late = Array.from({ length: 100 }, (_, n) => source.ask(`{ a${n} }`, soon));
    await Promise.all(late);
    expect(await source.ask('{ a }')).toEqual({ data: { a: 1 } });
    await source.stop();
  });
});
