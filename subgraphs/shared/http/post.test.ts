import { createServer, type RequestListener } from 'node:http';
import { Pool } from 'undici';
import { deadlines } from '../resilience/deadlines.js';
import { ConnectionSlots } from './connection-slots.js';
import { post } from './post.js';
import { close, listen } from './server.js';

const request = { path: '/', headers: {}, body: '{}' };
const unlimited = { atMs: Number.POSITIVE_INFINITY };
const patient = { timeoutMs: 60_000 };
const answer: RequestListener = (_request, response) => response.end('answer');
const ignore: RequestListener = () => {};

describe('requests over one connection', () => {
  let listener = answer;
  let opened = 0;
  const server = createServer((request, response) => listener(request, response));
  server.on('connection', () => {
    opened += 1;
  });
  let url: string;
  let pool: Pool;
  let slots: ConnectionSlots;
  /** how many waited in the queue of undici, after each request */
  let queued: number[];
  beforeAll(async () => {
    url = await listen(server, '127.0.0.1', 0);
  });
  beforeEach(() => {
    listener = answer;
    opened = 0;
    pool = new Pool(url, { connections: 1 });
    slots = new ConnectionSlots(1);
    queued = [];
    const dispatch = pool.dispatch.bind(pool);
    pool.dispatch = (...args) => {
      const isFree = dispatch(...args);
      queued.push(pool.stats.queued);
      return isFree;
    };
  });
  afterEach(() => pool.destroy());
  afterAll(() => {
    server.closeAllConnections();
    return close(server);
  });
  const send = (limits = patient, deadline = unlimited, sent = request) =>
    post({ pool, slots }, sent, deadline, limits);

  it.each([
    ['sent together', () => Promise.all(Array.from({ length: 50 }, () => send()))],
    [
      'sent one after another',
      async () => {
        for (let n = 0; n < 50; n++) await send();
      },
    ],
  ])('that are %s use it in turn, and none waits in the queue of undici', async (_, sendAll) => {
    await sendAll();
    expect(queued).toEqual(Array(50).fill(0));
    expect(opened).toBe(1);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'a refused connection',
      async () => {
        const closed = createServer();
        const nowhere = new Pool(await listen(closed, '127.0.0.1', 0));
        await close(closed);
        const sent = post({ pool: nowhere, slots }, request, unlimited, patient);
        return sent.finally(() => nowhere.destroy());
      },
    ],
    [
      'a closed pool',
      async () => {
        const former = new Pool(url);
        await former.close();
        return post({ pool: former, slots }, request, unlimited, patient);
      },
    ],
    [
      'a response that is cut',
      () => {
        listener = (_request, response) => {
          response.writeHead(200, { 'content-length': 100 });
          response.write('beginning', () => response.destroy());
        };
        return send();
      },
    ],
    [
      'an error before it is written',
      () => {
        const onSend = () => {
          throw new Error('no');
        };
        return send(patient, unlimited, { ...request, onSend } as typeof request);
      },
    ],
    [
      'its deadline while the connection is opened',
      () => {
        const late = send(patient, { atMs: performance.now() - 1 });
        deadlines.check();
        return late;
      },
    ],
    [
      'its deadline after it was sent',
      () => {
        listener = ignore;
        return send({ timeoutMs: 100 });
      },
    ],
    [
      'its deadline while it waits for another',
      async () => {
        listener = ignore;
        const first = send({ timeoutMs: 500 }).catch(() => {});
        const late = send({ timeoutMs: 50 });
        await Promise.allSettled([late, first]);
        return late;
      },
    ],
  ])('go on after one that failed by %s', async (_, fail) => {
    await expect(fail()).rejects.toThrow();
    listener = answer;
    expect(await Promise.all([send(), send()])).toEqual(['answer', 'answer']);
    expect(slots.waiting).toBe(0);
    expect(queued.filter((count) => count > 0)).toEqual([]);
  });
});

it('a request that gets no connection in time is a failure of the server if nobody could connect', async () => {
  // As if the packets were dropped.
  const pool = new Pool('http://127.0.0.1:1', { connections: 1, connect: () => {} });
  const connections = { pool, slots: new ConnectionSlots(1) };
  const limits = { timeoutMs: 60_000, startMaxMs: 100 };
  const soon = { atMs: performance.now() + 50 };
  const outcomes = await Promise.allSettled([
    post(connections, request, unlimited, limits),
    post(connections, request, unlimited, limits),
    post(connections, request, soon, limits),
  ]);
  expect(
    outcomes.map((each) => each.status === 'rejected' && each.reason.isSubgraphTimeout),
  ).toEqual([true, true, false]);
  void pool.destroy();
});
