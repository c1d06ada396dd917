import { Redis } from 'ioredis';
import { sessionEndedChannel } from '../subgraphs/contracts/session-ended.js';
import { orderChannel } from '../subgraphs/order/order/live/order-feeds.js';
import { startWarehouse } from '../subgraphs/warehouse/index.js';
import { stockChannel } from '../subgraphs/warehouse/signals/stock-signals.js';
import { startTestRedis } from './harness/databases.js';
import { openLink } from './harness/network-link.js';
import { checkout, checkoutOnce, openShop, type Person, registerPerson } from './harness/people.js';
import { startSystem, type TestSystem } from './harness/system.js';
import { eventually } from './harness/wait.js';

const requestOtp = 'mutation ($input: RequestOtpInput!) { requestOtp(input: $input) { id } }';
const logout = 'mutation { logout }';

describe('after a failover of Redis, whose old primary keeps its connections as a replica', () => {
  let system: TestSystem;
  let second: Awaited<ReturnType<typeof startTestRedis>>;
  let address: Awaited<ReturnType<typeof openLink>>;
  let vendor: Person;
  let customer: Person;
  let offerId: string;
  const opened: Redis[] = [];
  beforeAll(async () => {
    [system, second] = await Promise.all([
      startSystem({
        RESERVATION_MINUTES: '0.1',
        PAYMENT_TIMEOUT_SECONDS: '2',
        SWEEP_EVERY_MS: '1000000000',
      }),
      startTestRedis(),
    ]);
    address = await openLink(system.redis.url);
    const at = (database: number) => `${address.url}/${database}`;
    const settings = {
      user: { OTP_REDIS_URL: at(3), EVENTS_REDIS_URL: at(0) },
      warehouse: { TIMER_REDIS_URL: at(1), LOCK_REDIS_URLS: at(2) },
      order: { EVENTS_REDIS_URL: at(0) },
      router: { RATE_LIMIT_REDIS_URL: at(4), EVENTS_REDIS_URL: at(0) },
    } as const;
    for (const [name, urls] of Object.entries(settings)) {
      await system.stopProcess(name as keyof typeof settings);
      await system.start(name as keyof typeof settings, urls);
    }
    [vendor, customer] = await Promise.all([
      registerPerson(system, 'VENDOR'),
      registerPerson(system),
    ]);
    ({ offerId } = await openShop(system, vendor, [50]));
  }, 240_000);
  afterEach(() => system.expectInvariants());
  afterAll(async () => {
    for (const redis of opened) redis.disconnect();
    await system.stop();
    await address.stop();
    await second.stop();
  });

  const connect = (url: string, database: number) => {
    const redis = new Redis(`${url}/${database}`);
    opened.push(redis);
    return redis;
  };
  const itemsOf = (quantity: number) => [{ offerId, quantity }];
  const sendCode = () => system.graphql(requestOtp, { input: { phone: '+12025550199' } });
  const upAt = async (name: 'user' | 'warehouse' | 'order' | 'router') => {
    const response = await fetch(`http://127.0.0.1:${system.ports.ops[name]}/metrics`);
    const lines = (await response.text()).split('\n');
    return lines.filter((line) => line.startsWith('holdfast_redis_up{'));
  };

  it('orders are placed while it takes no writes, codes are refused, and each process shows it', async () => {
    await system.redis.demote();
    const placed = await checkoutOnce(system, customer, itemsOf(1));
    expect(placed.data?.checkout.__typename).toBe('CheckoutSuccess');
    expect((await sendCode()).errors?.[0]?.extensions.code).toBe('TRY_AGAIN');
    for (const name of ['user', 'warehouse', 'order', 'router'] as const) {
      await eventually(
        () => upAt(name),
        (lines) => lines.length > 0 && lines.every((line) => line.endsWith(' 0')),
      );
    }
  });

  it('every connection of every process leads to the new primary', async () => {
    address.moveTo(second.url);
    for (const name of ['user', 'warehouse', 'order', 'router'] as const) {
      await eventually(
        () => upAt(name),
        (lines) => lines.length > 0 && lines.every((line) => line.endsWith(' 1')),
      );
    }
    const admin = connect(second.url, 0);
    await eventually(
      () => admin.pubsub('NUMSUB', orderChannel, stockChannel, sessionEndedChannel),
      (counts) => [counts[1], counts[3], counts[5]].every((count) => Number(count) === 1),
    );
  });

  it('codes are sent, and limits counted together again', async () => {
    expect((await sendCode()).errors).toBeUndefined();
    expect(await connect(second.url, 3).keys('code:*')).toHaveLength(1);
    await eventually(
      async () => {
        await system.graphql('{ serverTime }');
        return connect(second.url, 4).keys('limit:*');
      },
      (keys) => keys.length > 0,
    );
  });

  it('changes of stock and orders, and ended sessions, are published at the new primary', async () => {
    const heard = new Set<string>();
    const listener = connect(second.url, 0);
    await listener.subscribe(orderChannel, stockChannel, sessionEndedChannel);
    listener.on('message', (channel) => heard.add(channel));
    await checkout(system, customer, itemsOf(1));
    await system.graphql(logout, {}, (await registerPerson(system)).token);
    await eventually(
      async () => heard.size,
      (count) => count === 3,
    );
  });

  it('reservations expire by their timers, those from before and after it', async () => {
    const { data } = await checkout(system, customer, itemsOf(1));
    expect(data.checkout.__typename).toBe('CheckoutSuccess');
    const orders = '{ orders(first: 10) { edges { node { status } } } }';
    await eventually(
      async () => {
        const edges = (await system.graphql(orders, {}, customer.token)).data.orders.edges;
        return edges.map(({ node }: { node: { status: string } }) => node.status);
      },
      (statuses) =>
        statuses.length === 3 && statuses.every((status: string) => status === 'CANCELLED'),
      60_000,
    );
  });

  it('the warehouse does not start with a Redis that cannot send events of expired keys', async () => {
    await system.redis.promote(); // no process is connected to it, which would configure it again
    const admin = connect(system.redis.url, 1);
    await admin.config('SET', 'notify-keyspace-events', '');
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '&*', '+@all', '-config');
    const TIMER_REDIS_URL = system.redis.url.replace('//', '//limited:secret@');
    const ports = { PORT: '0', OPS_PORT: '0' };
    const starting = startWarehouse({ ...system.envOf('warehouse'), ...ports, TIMER_REDIS_URL });
    await expect(starting).rejects.toThrow(/TIMER_REDIS_URL.* set notify-keyspace-events to Ex/);
  });
});
