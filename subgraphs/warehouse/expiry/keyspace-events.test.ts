import type { Redis } from 'ioredis';
import { startTestRedis } from '../../../tests/harness/databases.js';
import { openLink } from '../../../tests/harness/network-link.js';
import { logger, openStock, stockUp, type TestStock } from '../../../tests/harness/stock-engine.js';
import { eventually } from '../../../tests/harness/wait.js';
import { ConfigError } from '../../shared/config.js';
import { newId } from '../../shared/ids.js';
import { createLogger } from '../../shared/observability/logger.js';
import { createRedis } from '../../shared/runtime/redis.js';
import { reserveStock } from '../reservation/engine.js';
import { type Expiry, startExpiry } from './expiry.js';
import { listenForExpiredKeys, requireExpiryEvents } from './keyspace-events.js';

const never = 1_000_000_000;

describe('events of expired keys', () => {
  let stock: TestStock;
  let second: Awaited<ReturnType<typeof startTestRedis>>;
  let address: Awaited<ReturnType<typeof openLink>>;
  const stops: Array<() => unknown> = [];
  const lines: string[] = [];
  const listening = createLogger('test', 'error', {
    destination: { write: (line) => void lines.push(line) },
  });
  beforeEach(async () => {
    [stock, second] = await Promise.all([openStock(), startTestRedis()]);
    address = await openLink(stock.redis.url);
    lines.length = 0;
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
    await stock.expectStockInvariants();
    await address.stop();
    await Promise.all([stock.close(), second.stop()]);
  });

  async function open(url: string) {
    const redis = createRedis(url, logger, 'test');
    stops.push(() => redis.disconnect());
    await redis.connect();
    return redis;
  }
  /** A Redis without these events, and a user who must not configure it. */
  async function openLimited() {
    const admin = await stock.redisAt(1);
    await admin.config('SET', 'notify-keyspace-events', '');
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const url = `redis://limited:secret@${new URL(stock.redis.url).host}/1`;
    return { admin, commands: await open(url), events: await open(url) };
  }

  /** The expiry of one warehouse process, without the sweeper. */
  async function startOne(timers: Redis, events: Redis) {
    const engine = await stock.engine({ timers });
    const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs: never });
    stops.push(() => expiry.stop());
    await untilReceived(expiry);
    return { engine, expiry };
  }
  const untilReceived = (expiry: Expiry, wanted = true) =>
    eventually(
      async () => expiry.areEventsReceived(),
      (areReceived) => areReceived === wanted,
    );
  async function reserve(engine: Awaited<ReturnType<typeof stock.engine>>, reserveForMs: number) {
    const { shopId, sku } = await stockUp(engine, [5]);
    const orderId = newId();
    await reserveStock(engine, { orderId, lines: [{ shopId, sku, quantity: 2 }], reserveForMs });
    return orderId;
  }
  const untilExpired = (orderId: string) =>
    eventually(
      () => stock.query('select state from reservation where order_id = $1', [orderId]),
      ([row]) => (row as { state: string }).state === 'EXPIRED',
    );

  it('arrive from the new primary after a failover, for reservations that were made before it, too', async () => {
    const { engine, expiry } = await startOne(
      await open(`${address.url}/1`),
      await open(`${address.url}/1`),
    );
    const before = await reserve(engine, 8000);
    await stock.redis.demote();
    address.moveTo(second.url);
    await untilReceived(expiry, false);
    await untilReceived(expiry);
    await untilExpired(await reserve(engine, 300));
    await untilExpired(before);
  });

  it('are switched on again when the setting was lost', async () => {
    const timers = await stock.redisAt(1);
    const { engine } = await startOne(timers, await stock.redisAt(1));
    await timers.config('SET', 'notify-keyspace-events', '');
    await untilExpired(await reserve(engine, 4000));
    expect(String(await timers.config('GET', 'notify-keyspace-events'))).toMatch(/x.*E|E.*x/);
  });

  it('arrive again when the subscriber was left at a server that nobody else uses', async () => {
    address.moveTo(second.url);
    const events = await open(`${address.url}/1`);
    const timers = await stock.redisAt(1);
    const engine = await stock.engine({ timers });
    const expiry = startExpiry({ store: engine, timers, events, sweepEveryMs: never });
    stops.push(() => expiry.stop());
    const orderId = await reserve(engine, 300);
    address.moveTo(stock.redis.url);
    await untilReceived(expiry);
    await untilExpired(orderId);
  });

  it('are missed with a line in the log that says what to configure, while CONFIG is forbidden', async () => {
    const { admin, commands, events } = await openLimited();
    await new Promise<void>((resolve) => {
      const limited = listenForExpiredKeys({
        commands,
        events,
        logger: listening,
        onExpired: () => {},
        onReady: async () => resolve(),
      });
      stops.push(() => limited.stop());
    });
    expect(lines.join()).toContain('set notify-keyspace-events to Ex in its configuration');
    expect(lines.join()).toContain('NOPERM');
    // Events that somebody else has switched on are enough, and stay as they are.
    await admin.config('SET', 'notify-keyspace-events', 'KEA');
    lines.length = 0;
    const expired: string[] = [];
    await new Promise<void>((resolve) => {
      const listener = listenForExpiredKeys({
        commands: admin,
        events,
        logger: listening,
        onExpired: (key) => void expired.push(key),
        onReady: async () => resolve(),
      });
      stops.push(() => listener.stop());
    });
    expect(lines).toEqual([]);
    expect((await admin.config('GET', 'notify-keyspace-events')) as string[]).toContain('AKE');
  });

  it('are missed with one line in the log that says what to grant, while a channel is forbidden', async () => {
    const admin = await stock.redisAt(1);
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&__key*', '+@all');
    const url = `redis://limited:secret@${new URL(stock.redis.url).host}/1`;
    const [commands, events] = [await open(url), await open(url)];
    const expired: string[] = [];
    const listener = listenForExpiredKeys({
      ...{ commands, events, logger: listening, onReady: async () => {} },
      onExpired: (key) => void expired.push(key),
    });
    stops.push(() => listener.stop());
    await new Promise((resolve) => setTimeout(resolve, 4000));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('the user of Redis lacks a right; grant it ~probe:*');
    await admin.call('ACL', 'SETUSER', 'limited', '&probe:*');
    await eventually(
      async () => listener.areReceived(),
      (areReceived) => areReceived,
    );
    await commands.set('due', '', 'PX', 1);
    await eventually(
      () => commands.exists('due'),
      () => expired.includes('due'),
    );
  });

  it('are required at the start, with one sentence that says what to set', async () => {
    const { admin, ...limited } = await openLimited();
    const refused = await requireExpiryEvents(limited).catch((error) => error);
    expect(refused).toBeInstanceOf(ConfigError);
    expect(refused.problems).toEqual([
      expect.stringMatching(
        /^TIMER_REDIS_URL: its Redis sends no events .* \(NOPERM .*\): set notify-keyspace-events to Ex in its configuration$/,
      ),
    ]);
    // It cannot read the setting, but the events arrive.
    await admin.config('SET', 'notify-keyspace-events', 'Ex');
    await requireExpiryEvents(limited);
  });

  it('do not keep a process from starting while Redis is away', async () => {
    const [commands, events] = [await open(stock.redis.url), await open(stock.redis.url)];
    await stock.redis.kill();
    await requireExpiryEvents({ commands, events });
    await stock.redis.restart();
  });
});
