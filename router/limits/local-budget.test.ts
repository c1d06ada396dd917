import type { Redis } from 'ioredis';
import { createLogger } from '../../subgraphs/shared/observability/logger.js';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { closeRedis, createRedis } from '../../subgraphs/shared/runtime/redis.js';
import { startTestRedis } from '../../tests/harness/databases.js';
import { withCooldown } from './limiter-redis.js';
import { createRateLimits, type RateLimitTable, rateLimitProfiles } from './rate-limits.js';

const points = 100;
const slice = 8;
const routersMax = 4;
const seconds = 3600;
const budgeted = { points, seconds, slice };
const table: RateLimitTable = { ...rateLimitProfiles.bench, ip: budgeted, user: budgeted };
const logger = createLogger('test', 'silent');
/** Numbers below `limit`, the same for a seed. */
const randomOf = (seed: number) => {
  let state = seed;
  return (limit: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
};

describe('limits with budgets of routers', () => {
  let server: Awaited<ReturnType<typeof startTestRedis>>;
  let connections: Redis[];
  let routers: ReturnType<typeof createRateLimits>[];
  let keys = 0;
  const newKey = () => `key-${++keys}`;
  beforeAll(async () => {
    server = await startTestRedis();
    connections = Array.from({ length: routersMax }, () =>
      createRedis(`${server.url}/4`, logger, 'limits', {
        commandTimeout: 10_000,
        enableAutoPipelining: true,
      }),
    );
    await Promise.all(connections.map((redis) => redis.connect()));
    routers = connections.map((redis) =>
      createRateLimits(table, withCooldown(redis), new Registry()),
    );
  });
  afterAll(async () => {
    await Promise.all(connections.map(closeRedis));
    await server.stop();
  });

  /** @returns how many points were admitted */
  async function consume(router: number, key: string, times = 1): Promise<number> {
    return routers[router]?.('ip', key, times).then(
      () => times,
      (error) => {
        expect(error.extensions.code).toBe('RATE_LIMITED');
        expect(error.extensions.retryAfterMs).toBeGreaterThan(seconds * 500);
        return 0;
      },
    ) as Promise<number>;
  }
  const sum = (all: number[]) => all.reduce((total, each) => total + each, 0);
  async function inTurn(router: number, key: string, times: number) {
    const admitted: number[] = [];
    for (let n = 0; n < times; n++) admitted.push(await consume(router, key));
    return sum(admitted);
  }
  const counted = async (key: string) => Number(await connections[0]?.get(`limit:ip:${key}`));
  const overshootMax = (count: number) => (count - 1) * (slice - 1);

  it('are exact in one router, one request after the other and all at once', async () => {
    const [one, other] = [newKey(), newKey()];
    expect(await inTurn(0, one, points + 50)).toBe(points);
    const all = Array.from({ length: points * 3 }, () => consume(0, other));
    expect(sum(await Promise.all(all))).toBe(points);
  });

  it.each([2, 3, routersMax])(
    'admit at most (routers - 1) × (slice - 1) points more in %i routers, and so many at worst',
    async (count) => {
      const key = newKey();
      const others = Array.from({ length: count - 1 }, (_, n) => inTurn(n + 1, key, slice - 1));
      const before = sum(await Promise.all(others));
      expect(await counted(key)).toBe(0);
      const admitted = before + (await inTurn(0, key, points * 2));
      const after = sum(await Promise.all(others.map((_, n) => inTurn(n + 1, key, points))));
      expect(admitted + after).toBe(points + overshootMax(count));
    },
  );

  it('never admit more, in any order, with any costs, at once or in turn', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = randomOf(seed);
      const count = 1 + random(routersMax);
      const key = newKey();
      let admitted = 0;
      for (let sent = 0; sent < points * 2; ) {
        const batch = Array.from({ length: 1 + random(12) }, () => {
          const times = 1 + random(random(5) === 0 ? slice * 2 : 3);
          sent += times;
          return consume(random(count), key, times);
        });
        admitted += sum(await Promise.all(batch));
      }
      expect(admitted).toBeGreaterThan(points - slice * 2);
      expect(admitted).toBeLessThanOrEqual(points + overshootMax(count));
    }
  });

  it('send nothing to Redis below a slice, and one report for a slice', async () => {
    const key = newKey();
    await inTurn(0, key, slice - 1);
    expect(await counted(key)).toBe(0);
    await consume(0, key);
    expect(await counted(key)).toBe(slice);
    await inTurn(0, key, slice - 1);
    expect(await counted(key)).toBe(slice);
  });

  it('refuse a key everywhere once one router has reported that it is over', async () => {
    const key = newKey();
    await inTurn(0, key, points + 1);
    expect(await inTurn(1, key, slice)).toBeLessThan(slice);
    expect(await inTurn(1, key, 50)).toBe(0);
    const before = await counted(key);
    expect(await inTurn(0, key, 50)).toBe(0);
    expect(await counted(key)).toBe(before);
  });

  it('start again when the window is over', async () => {
    const redis = connections[0] as Redis;
    const short = { ...table, ip: { points, seconds: 1, slice } };
    const consumeShort = createRateLimits(short, withCooldown(redis), new Registry());
    const key = newKey();
    const all = Array.from({ length: points + 1 }, () => consumeShort('ip', key));
    const outcomes = await Promise.allSettled(all);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    const isAdmitted = () =>
      consumeShort('ip', key).then(
        () => true,
        () => false,
      );
    while (!(await isAdmitted())) await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all(Array.from({ length: points - slice }, () => consumeShort('ip', key)));
  });

  it('are sent to Redis in one message a turn, whatever limits and keys', async () => {
    const redis = connections[0] as Redis;
    await routers[0]?.('login', newKey()); // the script is known from now on
    const { stream } = redis as unknown as { stream: { write(...args: unknown[]): boolean } };
    const write = stream.write.bind(stream);
    let writes = 0;
    stream.write = (...args) => {
      writes += 1;
      return write(...args);
    };
    const names = ['ip', 'user', 'login', 'identity'] as const;
    const sent = Array.from({ length: 30 }, (_, n) =>
      routers[0]?.(names[n % 4] as (typeof names)[number], newKey(), slice),
    );
    await Promise.all(sent);
    stream.write = write;
    expect(writes).toBe(1);
  });

  it('that protect secrets have no budget', () => {
    const { login, identity, code, register, refresh } =
      rateLimitProfiles.standard as RateLimitTable;
    for (const limit of [login, identity, code, register, refresh]) {
      expect(limit.slice).toBeUndefined();
    }
  });
});
