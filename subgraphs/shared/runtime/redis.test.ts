import { once } from 'node:events';
import { startTestRedis } from '../../../tests/harness/databases.js';
import { openLink } from '../../../tests/harness/network-link.js';
import { eventually } from '../../../tests/harness/wait.js';
import { createLogger } from '../observability/logger.js';
import { Registry } from '../observability/metrics.js';
import { closeRedis, createRedis, keepSubscribed, watchRedis } from './redis.js';
import { takesWrites } from './redis-probe.js';

const logger = createLogger('test', 'silent');
type Server = Awaited<ReturnType<typeof startTestRedis>>;

describe('a connection to Redis', () => {
  let first: Server;
  let second: Server;
  let address: Awaited<ReturnType<typeof openLink>>;
  const opened: ReturnType<typeof createRedis>[] = [];
  beforeEach(async () => {
    [first, second] = await Promise.all([startTestRedis(), startTestRedis()]);
    address = await openLink(first.url);
  });
  afterEach(async () => {
    for (const redis of opened.splice(0)) redis.disconnect();
    await address.stop();
    first.resume();
    await Promise.all([first.stop(), second.stop()]);
  });

  async function open(url = address.url, role = 'test') {
    const redis = createRedis(url, logger, role);
    opened.push(redis);
    await redis.connect();
    return redis;
  }
  const untilItTakesWrites = (redis: ReturnType<typeof createRedis>, wanted = true) =>
    eventually(
      async () => takesWrites(redis),
      (takes) => takes === wanted,
    );
  const until = (isTrue: () => boolean) => eventually(async () => isTrue(), Boolean);

  const upIn = async (registry: Registry) =>
    (await registry.getSingleMetric('holdfast_redis_up')?.get())?.values.at(0)?.value;

  it('answers a script that is defined in the turn in which a probe is sent', async () => {
    const redis = createRedis(first.url, logger, 'test', { enableAutoPipelining: true });
    opened.push(redis);
    const answer = new Promise((resolve, reject) => {
      redis.on('ready', () => {
        redis.defineCommand('one', { numberOfKeys: 0, lua: 'return 1' });
        (redis as unknown as { one(): Promise<number> }).one().then(resolve, reject);
      });
    });
    await redis.connect();
    expect(await answer).toBe(1);
  });

  it('does not subscribe by itself after a reconnect, where nothing would catch a failure', async () => {
    const [admin, events] = await Promise.all([open(), open()]);
    await events.subscribe('changes');
    expect(await admin.pubsub('NUMSUB', 'changes')).toEqual(['changes', 1]);
    const closed = once(events, 'close');
    await admin.client('KILL', 'TYPE', 'PUBSUB');
    await closed;
    await until(() => events.status === 'ready');
    await events.ping(); // after anything that it sent by itself
    expect(await admin.pubsub('NUMSUB', 'changes')).toEqual(['changes', 0]);
    await Promise.all([closeRedis(admin), closeRedis(events)]);
  });

  const failures: Record<string, (server: Server) => unknown> = {
    demoted: (server) => server.demote(),
    'a stale replica': (server) => server.makeStale(),
    unresponsive: (server) => server.pause(),
  };
  describe.each(Object.keys(failures))('to a server that is %s', (how) => {
    const fail = async () => failures[how]?.(first);

    it('is made again, and finds another primary at the same address', async () => {
      const redis = await open();
      await fail();
      await untilItTakesWrites(redis, false);
      address.moveTo(second.url);
      await untilItTakesWrites(redis);
      await redis.set('where', 'here');
      expect(await (await open(second.url)).get('where')).toBe('here');
    });

    it('is made again by a subscriber, which receives what is published at the new primary', async () => {
      const events = await open();
      keepSubscribed(events, 'changes');
      const received: string[] = [];
      events.on('message', (_channel, message) => received.push(message));
      const untilReceived = (publisher: ReturnType<typeof createRedis>, message: string) =>
        eventually(
          async () => {
            await publisher.publish('changes', message);
            return received.at(-1);
          },
          (last) => last === message,
        );
      await untilReceived(await open(first.url), 'before');
      await fail();
      address.moveTo(second.url);
      await untilReceived(await open(second.url), 'after');
    });
  });

  it('is shown as up only while the server takes writes', async () => {
    const registry = new Registry();
    const redis = await open();
    watchRedis(registry, { test: redis });
    const untilUpIs = (wanted: number) =>
      eventually(
        () => upIn(registry),
        (up) => up === wanted,
      );
    await untilUpIs(1);
    await first.demote();
    await untilUpIs(0);
    await first.promote();
    await untilUpIs(1);
  });

  it('is made again later each time while the server takes no writes', async () => {
    const redis = await open();
    const delaysMs: number[] = [];
    redis.on('reconnecting', (delayMs: number) => delaysMs.push(delayMs));
    await first.demote();
    await until(() => delaysMs.length === 6);
    expect(delaysMs[0]).toBeLessThanOrEqual(50);
    expect(delaysMs[5]).toBeGreaterThanOrEqual(500);
    await first.promote();
    await untilItTakesWrites(redis);
    delaysMs.length = 0;
    redis.disconnect(true);
    await until(() => delaysMs.length > 0);
    expect(delaysMs[0]).toBeLessThanOrEqual(50);
  });

  it('stays open, and is not up, when the server has no memory left: a new one would not change that', async () => {
    const [redis, admin] = await Promise.all([open(), open(first.url, 'admin')]);
    const registry = new Registry();
    watchRedis(registry, { test: redis });
    await untilItTakesWrites(redis);
    const id = await redis.client('ID');
    await admin.config('SET', 'maxmemory', '1');
    await untilItTakesWrites(redis, false);
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(await redis.client('ID')).toBe(id);
    expect(await upIn(registry)).toBe(0);
    await admin.config('SET', 'maxmemory', '0');
    await untilItTakesWrites(redis);
    expect(await redis.client('ID')).toBe(id);
  });

  it.each(['commands', 'messages'])(
    'stays open for %s, and says once which right is missing, when its user may not write the probe',
    async (use) => {
      const admin = await open(first.url, 'admin');
      const rights = ['on', '>secret', 'allchannels', '+@all', '~timer:*'];
      await admin.acl('SETUSER', 'limited', ...rights);
      const url = new URL(address.url);
      Object.assign(url, { username: 'limited', password: 'secret' });
      const lines: Array<{ level: number }> = [];
      const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
      const redis = createRedis(url.href, createLogger('test', 'warn', { destination }), 'test');
      opened.push(redis);
      const received: string[] = [];
      if (use === 'messages') keepSubscribed(redis, 'changes');
      redis.on('message', (_channel, message) => received.push(message));
      await redis.connect();
      await untilItTakesWrites(redis, false);
      await new Promise((resolve) => setTimeout(resolve, 5000));
      expect(address.connections()).toBe(1);
      const missing =
        'the user of Redis may not write the keys probe:*; grant it +set and ~probe:*';
      expect(lines).toMatchObject([{ level: 50, msg: missing }]);
      if (use === 'messages') {
        await admin.publish('changes', 'here');
        await until(() => received.length === 1);
      } else await redis.set('timer:1', 'here');
      await admin.acl('SETUSER', 'limited', '~probe:*');
      await untilItTakesWrites(redis);
      expect(address.connections()).toBe(1);
    },
  );
});
