import type { Redis } from 'ioredis';
import { Registry } from '../../subgraphs/shared/observability/metrics.js';
import { withCooldown } from './limiter-redis.js';
import { createRateLimits, rateLimitProfiles } from './rate-limits.js';

/** A Redis that fails when the test says so, with a simulated clock. */
function createFake() {
  const fake = { status: 'ready', fails: false, queries: 0, nowMs: 1_000_000 };
  const client = {
    get status() {
      return fake.status;
    },
    defineCommand() {},
    async rlflxIncr(): Promise<[number, number]> {
      fake.queries += 1;
      if (fake.fails) throw new Error('Command timed out');
      return [1, 1000];
    },
  };
  const redis = withCooldown(client as unknown as Redis, () => fake.nowMs);
  const consumeLimit = createRateLimits(rateLimitProfiles.standard, redis, new Registry());
  return { fake, consumeLimit };
}

describe('a Redis that fails', () => {
  it('is skipped for two seconds: only the first request waits for it', async () => {
    const { fake, consumeLimit } = createFake();
    fake.fails = true;
    for (let n = 0; n < 10; n++) await consumeLimit('login', 'a');
    expect(fake.queries).toBe(1);
  });

  it('is tried by one request at a time afterwards', async () => {
    const { fake, consumeLimit } = createFake();
    fake.fails = true;
    await consumeLimit('login', 'a');
    fake.nowMs += 2001;
    await Promise.all(Array.from({ length: 10 }, () => consumeLimit('login', 'a')));
    expect(fake.queries).toBe(2);
  });

  it('counts again once it responds', async () => {
    const { fake, consumeLimit } = createFake();
    fake.fails = true;
    await consumeLimit('login', 'a');
    fake.fails = false;
    fake.nowMs += 2001;
    for (let n = 0; n < 5; n++) await consumeLimit('login', 'a');
    expect(fake.queries).toBe(6);
  });

  it('is not queried while it is disconnected', async () => {
    const { fake, consumeLimit } = createFake();
    fake.status = 'reconnecting';
    await consumeLimit('login', 'a');
    expect(fake.queries).toBe(0);
  });
});
