import { createServer, type RequestListener } from 'node:http';
import { Pool } from 'undici';
import { DeadlineExceeded } from '../../subgraphs/shared/http/deadlines.js';
import { post } from '../../subgraphs/shared/http/post.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import {
  data,
  hangUp,
  large,
  openSource,
  refusal,
  send,
  sendAll,
} from '../../tests/harness/subgraph-source.js';

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
    expect(outcome).toEqual(refusal('OUTCOME_UNKNOWN'));
    expect(requests).toBe(1);
  });

  it('is not read beyond eight megabytes', async () => {
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
    const all = Array.from({ length: 3 }, () => post(pool, request, deadline, { timeoutMs: 200 }));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.map((each) => each.status === 'rejected' && each.reason)).toEqual(
      Array(3).fill(new DeadlineExceeded(true)),
    );
    // The last of them never left the queue.
    expect(arrived).toBeLessThan(3);
    await pool.destroy();
    await close(server);
  });

  it('that gets no connection in time is not sent, and is no fault of the subgraph', async () => {
    let arrived = 0;
    const server = createServer(() => {
      arrived += 1;
    });
    const pool = new Pool(await listen(server, '127.0.0.1', 0), { connections: 1 });
    const request = { path: '/', headers: {}, body: '{}' };
    const deadline = { atMs: Number.POSITIVE_INFINITY };
    let sent = 0;
    const onSend = () => {
      sent += 1;
    };
    const first = post(pool, { ...request, onSend }, deadline, { timeoutMs: 60_000 });
    const late = post(pool, { ...request, onSend }, deadline, {
      timeoutMs: 60_000,
      startMaxMs: 100,
    });
    await expect(late).rejects.toEqual(new DeadlineExceeded(false));
    expect([arrived, sent]).toEqual([1, 1]);
    await pool.destroy();
    await expect(first).rejects.toThrow();
    await close(server);
  });

  it('is refused at once if too many wait for a connection', async () => {
    const held: (() => void)[] = [];
    const server = createServer((request, response) => {
      held.push(() => data(request, response));
    });
    const source = openSource(await listen(server, '127.0.0.1', 0));
    let answered = 0;
    // 128 have a connection, and 256 wait.
    const others = Array.from({ length: 384 }, (_, n) =>
      source.send(`{ a${n}: a }`, 'query').finally(() => {
        answered += 1;
      }),
    );
    expect(await source.send('{ last: a }', 'query')).toEqual(refusal('TRY_AGAIN'));
    expect(answered).toBe(0);
    const answering = setInterval(() => {
      for (const answer of held.splice(0)) answer();
    }, 1);
    expect(await Promise.all(others)).toEqual(Array(384).fill({ data: { a: 1 } }));
    expect(await source.send('{ next: a }', 'query')).toEqual({ data: { a: 1 } });
    clearInterval(answering);
    await source.close();
    await close(server);
  });

  it('is not a timeout of the subgraph if the deadline of the operation came first', async () => {
    const server = createServer(() => {});
    const pool = new Pool(await listen(server, '127.0.0.1', 0));
    const request = { path: '/', headers: {}, body: '{}' };
    const late = post(pool, request, { atMs: performance.now() + 100 }, { timeoutMs: 5000 });
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError', isSubgraphTimeout: false });
    await pool.destroy();
    await close(server);
  });
});
