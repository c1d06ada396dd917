import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import WebSocket from 'ws';
import { closeRedis } from '../subgraphs/shared/runtime/redis.js';
import { type Library, startLibrary } from './harness/library.js';
import { gauge, wsUrl } from './harness/live.js';
import { eventually } from './harness/wait.js';

const rounds = 1000;
const atOnce = 50;
const leavesWithinMs = 60;
const query = encodeURIComponent('subscription { renamed { id title stars } }');
const get = (token = '') =>
  `GET /graphql?query=${query} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n${
    token && `authorization: Bearer ${token}\r\n`
  }\r\n`;
const resources = (type: string) =>
  process.getActiveResourcesInfo().filter((each) => each === type).length;

describe('a client that leaves before its stream begins', () => {
  let library: Library;
  let router: Awaited<ReturnType<Library['startRouter']>>;
  let redis: Redis;
  let pauses: Promise<void>;
  let isPausing = true;
  beforeAll(async () => {
    library = await startLibrary();
    router = await library.startRouter();
    redis = new Redis(library.redis.url);
    // The limits of each request wait for Redis, some longer than their clients stay.
    pauses = (async () => {
      while (isPausing) {
        await redis.client('PAUSE', Math.ceil(Math.random() * 20));
        await sleep(Math.random() * 20);
      }
    })();
  });
  afterAll(async () => {
    isPausing = false;
    await pauses;
    await closeRedis(redis);
    await library.stopRouters();
    await library.stop();
  });

  const names = ['subscriptions_open', 'subscription_upstreams', 'websockets_open'];
  const nothingIsOpen = () =>
    eventually(
      () => Promise.all(names.map((name) => gauge(router.opsUrl, `holdfast_${name}`))),
      (counts) => counts.every((count) => count === 0),
    );
  /** Runs all rounds, and expects no more sockets and timers than after a first few. */
  const leavesNothing = async (round: () => Promise<void>) => {
    const run = async (count: number) => {
      for (let n = 0; n < count; n += atOnce) {
        await Promise.all(Array.from({ length: atOnce }, round));
      }
      await nothingIsOpen();
    };
    await run(2 * atOnce);
    const types = ['TCPSocketWrap', 'Timeout'];
    const before = types.map(resources);
    await run(rounds);
    await eventually(
      async () => types.map(resources),
      (now) => now.every((count, n) => count <= (before[n] as number) + atOnce / 5),
    );
  };
  const leaves = async (socket: Socket, text: string) => {
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(text);
    await sleep(Math.random() * leavesWithinMs);
    socket.destroy();
  };
  const connected = () => connect(Number(new URL(router.url).port), '127.0.0.1');

  it('leaves no subscription, listener, timer or socket, over SSE by GET', async () => {
    const token = await library.tokenFor('ana');
    await leavesNothing(() => leaves(connected(), get(Math.random() < 0.5 ? token : '')));
  }, 120_000);

  it('leaves nothing if its request waits behind another one on the same connection', async () => {
    await leavesNothing(() => leaves(connected(), get() + get()));
  }, 120_000);

  it('leaves nothing over a WebSocket', async () => {
    const authorization = `Bearer ${await library.tokenFor('ana')}`;
    await leavesNothing(async () => {
      const socket = new WebSocket(wsUrl(router.url), 'graphql-transport-ws');
      socket.on('error', () => {});
      const params = Math.random() < 0.5 ? { authorization } : {};
      socket.once('open', () =>
        socket.send(JSON.stringify({ type: 'connection_init', payload: params })),
      );
      socket.on('message', () => {
        const payload = { query: 'subscription { renamed { id title } }' };
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
        socket.removeAllListeners('message');
      });
      await sleep(Math.random() * leavesWithinMs);
      socket.terminate();
    });
  }, 120_000);
});
