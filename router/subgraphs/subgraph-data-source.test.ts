import { createServer, type RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { ConnectionSlots } from '../../subgraphs/shared/http/connection-slots.js';
import { post } from '../../subgraphs/shared/http/post.js';
import { close, listen } from '../../subgraphs/shared/http/server.js';
import { DeadlineExceeded, deadlines } from '../../subgraphs/shared/resilience/deadlines.js';
import {
  data,
  hangUp,
  large,
  openSource,
  refusal,
  send,
  sendAll,
} from '../../tests/harness/subgraph-source.js';
import { eventually } from '../../tests/harness/wait.js';

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
  const request = { path: '/', headers: {}, body: '{}' };
  const unlimited = { atMs: Number.POSITIVE_INFINITY };
  /** One connection to a server; `stop` also closes the server. */
  async function connectTo(listener: RequestListener) {
    const server = createServer(listener);
    let opened = 0;
    server.on('connection', () => {
      opened += 1;
    });
    const pool = new Pool(await listen(server, '127.0.0.1', 0), { connections: 1 });
    return {
      connections: { pool, slots: new ConnectionSlots(1) },
      /** connections that the server has seen */
      opened: () => opened,
      async stop() {
        await pool.destroy();
        server.closeAllConnections();
        await close(server);
      },
    };
  }

  it('waits for a connection no longer than the timeout of the subgraph', async () => {
    let arrived = 0;
    const { connections, stop } = await connectTo(() => {
      arrived += 1;
    });
    const all = [300, 200, 200].map((timeoutMs) =>
      post(connections, request, unlimited, { timeoutMs }),
    );
    const outcomes = await Promise.allSettled(all);
    // Those that waited for the first are not the fault of the subgraph.
    expect(outcomes.map((each) => each.status === 'rejected' && each.reason)).toEqual([
      new DeadlineExceeded(true),
      new DeadlineExceeded(false),
      new DeadlineExceeded(false),
    ]);
    expect(arrived).toBe(1);
    await stop();
  });

  it('that gets no connection in time is not sent, and is no fault of the subgraph', async () => {
    let arrived = 0;
    const { connections, stop } = await connectTo(() => {
      arrived += 1;
    });
    let sent = 0;
    const onSend = () => {
      sent += 1;
    };
    const counted = { ...request, onSend };
    const first = post(connections, counted, unlimited, { timeoutMs: 60_000 });
    const late = post(connections, counted, unlimited, { timeoutMs: 60_000, startMaxMs: 100 });
    await expect(late).rejects.toEqual(new DeadlineExceeded(false));
    expect(connections.slots.waiting).toBe(0);
    await eventually(
      async () => arrived,
      (count) => count === 1,
    );
    expect(sent).toBe(1);
    await stop();
    await expect(first).rejects.toThrow();
  });

  it('that gets no connection in time costs none of those of others', async () => {
    const held: (() => void)[] = [];
    const { connections, opened, stop } = await connectTo((incoming, response) => {
      held.push(() => data(incoming, response));
    });
    const first = post(connections, request, unlimited, { timeoutMs: 60_000 });
    const late = post(connections, request, unlimited, { timeoutMs: 60_000, startMaxMs: 100 });
    await expect(late).rejects.toBeInstanceOf(DeadlineExceeded);
    const next = post(connections, request, unlimited, { timeoutMs: 60_000 });
    for (const outcome of [first, next]) {
      const answer = await eventually(async () => held.shift(), Boolean);
      answer?.();
      await outcome;
    }
    expect(opened()).toBe(1);
    await stop();
  });

  it('that expires while its connection is opened leaves it to the next one', async () => {
    const { connections, opened, stop } = await connectTo(data);
    const passed = { atMs: performance.now() - 1 };
    const late = post(connections, request, passed, { timeoutMs: 60_000 });
    // A connection takes turns of the event loop, which the check of deadlines does not have.
    deadlines.check();
    await expect(late).rejects.toBeInstanceOf(DeadlineExceeded);
    await post(connections, request, unlimited, { timeoutMs: 60_000 });
    expect(opened()).toBe(1);
    await stop();
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

  it('that is a mutation waits for none of what is read after other mutations', async () => {
    const held: (() => void)[] = [];
    const server = createServer((incoming, response) => {
      incoming.setEncoding('utf8').on('data', (body: string) => {
        if (body.includes('mutation')) data(incoming, response);
        else held.push(() => data(incoming, response));
      });
    });
    const source = openSource(await listen(server, '127.0.0.1', 0));
    let answered = 0;
    const reads = Array.from({ length: 100 }, (_, n) =>
      source.send(`{ a${n}: a }`, 'mutation').finally(() => {
        answered += 1;
      }),
    );
    expect(await source.send('mutation { a }', 'mutation')).toEqual({ data: { a: 1 } });
    expect(answered).toBe(0);
    const answering = setInterval(() => {
      for (const answer of held.splice(0)) answer();
    }, 1);
    expect(await Promise.all(reads)).toEqual(Array(100).fill({ data: { a: 1 } }));
    clearInterval(answering);
    await source.close();
    await close(server);
  });

  it('that is the trial of an open circuit, and gets no connection, leaves it open', async () => {
    let mutations = 0;
    const server = createServer((incoming) => {
      incoming.setEncoding('utf8').on('data', (body: string) => {
        if (!body.includes('mutation')) return;
        mutations += 1;
        incoming.socket.destroy();
      });
    });
    const source = openSource(await listen(server, '127.0.0.1', 0));
    const mutate = () => source.send('mutation { a }', 'mutation');
    // These queries have all connections of their class, and get no answer.
    const others = Array.from({ length: 128 }, (_, n) => source.send(`{ a${n}: a }`, 'query'));
    for (let n = 0; n < 100; n++) await mutate();
    const sent = mutations;
    await sleep(1050);
    expect(await source.send('{ trial: a }', 'query')).toEqual(refusal('TRY_AGAIN'));
    expect(await mutate()).toEqual(refusal('TRY_AGAIN'));
    expect(mutations).toBe(sent);
    server.closeAllConnections();
    await Promise.all(others);
    await source.close();
    await close(server);
  });

  it('is not a timeout of the subgraph if the deadline of the operation came first', async () => {
    const { connections, stop } = await connectTo(() => {});
    const soon = { atMs: performance.now() + 100 };
    const late = post(connections, request, soon, { timeoutMs: 5000 });
    await expect(late).rejects.toMatchObject({ name: 'TimeoutError', isSubgraphTimeout: false });
    await stop();
  });
});
