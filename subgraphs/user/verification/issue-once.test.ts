import { startTestRedis } from '../../../tests/harness/databases.js';
import { logger } from '../../../tests/harness/stock-engine.js';
import { closeRedis, createRedis } from '../../shared/runtime/redis.js';
import { issueOnce } from './issue-once.js';

const validMs = 60_000;

describe('a key under which a code is issued', () => {
  let server: Awaited<ReturnType<typeof startTestRedis>>;
  let redis: ReturnType<typeof createRedis>;
  beforeAll(async () => {
    server = await startTestRedis();
    redis = createRedis(server.url, logger, 'test');
    await redis.connect();
  });
  afterAll(async () => {
    await closeRedis(redis);
    await server.stop();
  });

  const issued = (challengeId: string) => ({
    challengeId,
    expiresAt: new Date(Date.now() + validMs),
  });

  it('is kept as long as the code is valid', async () => {
    const first = await issueOnce(redis, 'kept', async () => issued('first'));
    expect(await issueOnce(redis, 'kept', async () => issued('second'))).toEqual(first);
    const leftMs = await redis.pttl('kept');
    expect(leftMs).toBeGreaterThan(validMs / 2);
    expect(leftMs).toBeLessThanOrEqual(validMs);
  });

  it('is free again after a failure', async () => {
    const failing = issueOnce(redis, 'failed', () => Promise.reject(new Error('not sent')));
    await expect(failing).rejects.toThrow('not sent');
    const again = await issueOnce(redis, 'failed', async () => issued('again'));
    expect(again.challengeId).toBe('again');
  });

  it.each(['fails', 'is issued late'])(
    'stays with the request that has claimed it since, when the first %s',
    async (end) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReturnType<typeof issued>>();
      const first = issueOnce(redis, end, () => promise);
      while (!(await redis.get(end))) await new Promise((done) => setTimeout(done, 5));
      await redis.del(end); // as when the claim expires
      const second = await issueOnce(redis, end, async () => issued('second'));
      if (end === 'fails') reject(new Error('not sent'));
      else resolve(issued('first'));
      await first.catch(() => {});
      expect(await issueOnce(redis, end, async () => issued('third'))).toEqual(second);
    },
  );
});
